"""PyTorch beside bench/peers/pytorch.ts: reads a job as one line of JSON, then a line for each pass; answers on stdout."""
import json
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

job = json.loads(sys.stdin.readline())
torch.set_num_threads(job["threads"])
torch.manual_seed(1)
training = job["mode"] == "train"
stored = torch.from_numpy(np.fromfile(job["folder"] + "/values.f32", np.float32))
params = []
# those of convolutions and inner products, which are compared
compared = []


def values(place, shape):
    return stored[place["at"] : place["at"] + place["length"]].reshape(shape).clone()


def param(place, shape, compare=False):
    made = torch.nn.Parameter(values(place, shape), requires_grad=training)
    params.append(made)
    if compare:
        compared.append(made)
    return made


def weights(op, shape):
    bias = op.get("bias")
    weight = param(op["weight"], shape, True)
    return weight, bias and param(bias, [shape[0]], True)


def pooling(op):
    kernel, stride, ((top, _), (left, _)) = op["kernel"], op["stride"], op["pads"]
    pad, wanted = (top, left), op["shape"]

    def run(x):
        up = any(
            (x.shape[2 + i] + 2 * pad[i] - kernel[i]) // stride[i] + 1 != wanted[2 + i] for i in range(2)
        )
        if op["method"] == "MAX":
            return F.max_pool2d(x, kernel, stride, pad, ceil_mode=up)
        return F.avg_pool2d(x, kernel, stride, pad, ceil_mode=up, count_include_pad=False)

    return run


def lstm(op):
    hidden = op["hidden"]
    layer = torch.nn.LSTM(op["values"], hidden)

    def gates(place, width):
        # input, forget, output, candidate become input, forget, candidate, output
        i, f, o, g = values(place, [4, hidden, width])
        return torch.cat([i, f, g, o])

    with torch.no_grad():
        layer.weight_ih_l0.copy_(gates(op["wx"], op["values"]))
        layer.weight_hh_l0.copy_(gates(op["wh"], hidden))
        layer.bias_ih_l0.copy_(gates(op["bias"], 1).reshape(-1))
        layer.bias_hh_l0.zero_()
    params.extend(layer.parameters())
    return lambda x: layer(x)[0]


def batch_norm(op):
    n = [op["shape"][1]]
    mean, variance = values(op["mean"], n), values(op["variance"], n)
    scale, bias = param(op["scale"], n), param(op["bias"], n)
    return lambda x: F.batch_norm(x, mean, variance, scale, bias, training, 0.001, op["eps"])


def step(op):
    kind, shape = op["op"], op["shape"]
    if kind == "conv":
        w, b = weights(op, op["weightShape"])
        return lambda x: F.conv2d(x, w, b, op["stride"], op["pad"], op["dilation"], op["group"])
    if kind == "fc":
        count = op["weight"]["length"] // op["outputs"]
        w, b = weights(op, [op["outputs"], count])
        return lambda x: F.linear(x.reshape(-1, count), w, b)
    if kind == "pool":
        return pooling(op)
    if kind == "lrn":
        return lambda x: F.local_response_norm(x, op["size"], op["alpha"], op["beta"], op["k"])
    if kind == "batchnorm":
        return batch_norm(op)
    if kind == "lstm":
        return lstm(op)
    return {
        "from": lambda x: x[op.get("start", 0) :],
        "reshape": lambda x: x.reshape(shape),
        "concat": lambda *xs: torch.cat(xs, 1),
        "softmax": lambda x: torch.softmax(x, 1),
        "relu": F.relu,
        "sigmoid": torch.sigmoid,
        "add": torch.add,
    }[kind]


steps = [(op["inputs"], op["output"], step(op)) for op in job["ops"]]
feeds = {name: values(job["values"][name], shape) for name, shape in job["inputs"].items()}
for loss in job["losses"]:
    if loss["kind"] == "softmax":
        feeds[loss["target"]] = feeds[loss["target"]].long().reshape(-1)


def forward():
    known = dict(feeds)
    for inputs, output, run in steps:
        y = run(*[known[name] for name in inputs])
        if output in job["dropped"]:
            y = F.dropout(y, job["dropped"][output])
        known[output] = y
    return known


def loss_of(known):
    total = 0
    for loss in job["losses"]:
        scores, target = known[loss["scores"]], known[loss["target"]]
        if loss["kind"] == "softmax":
            value = F.cross_entropy(scores.flatten(1), target)
        else:
            value = ((scores - target) ** 2).sum() / (2 * scores.shape[0])
        total = total + loss["weight"] * value
    return total


optimizer = torch.optim.SGD(params, 1e-4, momentum=0.9, weight_decay=5e-4) if training else None


def clock():
    return time.perf_counter() * 1e3


def one_pass():
    start = clock()
    if not training:
        with torch.inference_mode():
            known = forward()
        return {"inference": clock() - start}, [known[job["prob"]], known[job["scores"]]]
    optimizer.zero_grad(set_to_none=True)
    cleared = clock()
    loss = loss_of(forward())
    loss.backward()
    computed = clock()
    results = [loss.detach().reshape(1)] + [p.grad for p in compared]
    if save:
        return {}, results
    optimizer.step()
    return {"train": computed - cleared, "update": cleared - start + clock() - computed}, results


save = True
for i, result in enumerate(one_pass()[1]):
    result.detach().numpy().astype(np.float32).tofile("%s/%d.f32" % (job["folder"], i))
save = False
print(json.dumps({"version": torch.__version__}), flush=True)
for line in sys.stdin:
    print(json.dumps(one_pass()[0]), flush=True)
