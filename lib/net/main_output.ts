/** The output that is meant where none is named: an input that nothing reads, a label of the training, is one, too. */
export const mainOutput = (net: { readonly inputs: readonly string[]; readonly outputs: readonly string[] }): string =>
  net.outputs.find(name => !net.inputs.includes(name)) ?? net.outputs[0]
