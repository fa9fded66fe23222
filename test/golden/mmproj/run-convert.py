"""convert_hf_to_gguf.py of llama.cpp, with the names of at least four blocks: projectors are numbered as blocks are, and a
tower of one block would have too few of them.
usage: run-convert.py LLAMA_CPP ARGUMENT…"""
import runpy, sys

llama_cpp = sys.argv.pop(1)
sys.path[:0] = [llama_cpp, llama_cpp + "/gguf-py"]
import gguf

names = gguf.get_tensor_name_map
gguf.get_tensor_name_map = lambda architecture, blocks: names(architecture, max(blocks, 4))
sys.argv[0] = "convert_hf_to_gguf.py"
runpy.run_path(llama_cpp + "/convert_hf_to_gguf.py", run_name="__main__")
