// The format of torch.save: a zip archive and a pickle that only builds tensors.
export {};
