"""OpenCV's dnn beside bench/opencv.ts: reads a job as one line of JSON, then a line for each pass; answers on stdout."""
import json
import sys
import time

import cv2
import numpy as np

job = json.loads(sys.stdin.readline())
cv2.setNumThreads(job["threads"])
net = cv2.dnn.readNetFromCaffe(job["prototxt"], job["model"])
net.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)
data = np.fromfile(job["input"], np.float32).reshape(job["shape"])


def forward(names):
    net.setInput(data, "data")
    wall, cpu = time.perf_counter(), time.process_time()
    outputs = net.forward(names)
    return outputs, (time.perf_counter() - wall) * 1e3, (time.process_time() - cpu) * 1e3


outputs, _, _ = forward(job["outputs"])
for name, values in zip(job["outputs"], outputs):
    values.astype(np.float32).tofile(job["folder"] + "/" + name + ".f32")
print(json.dumps({"version": cv2.__version__}), flush=True)
for line in sys.stdin:
    _, wall, cpu = forward(job["outputs"][:1])
    reply = {"wall": wall, "cpu": cpu}
    if line.strip() == "layers":
        ticks = net.getPerfProfile()[1].flatten() / cv2.getTickFrequency() * 1e3
        reply["layers"] = dict(zip(net.getLayerNames(), ticks.tolist()))
    print(json.dumps(reply), flush=True)
