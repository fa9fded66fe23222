// Writing Hugging Face checkpoint folders: shards, index, config, side files.
export {};
