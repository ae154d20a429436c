"""Runs Hugging Face's tokenizers on the built-in model's pieces, for the benchmark: argv[1] is the weights file. Reads one JSON object a line,
{"texts": [...], "normalise": bool}, and answers {"tokens": n, "seconds": s}. One thread; the way to encode that keeps no offsets."""
import json
import os
import struct
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"

import tokenizers
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

with open(sys.argv[1], "rb") as f:
    head = f.read(72)
    n, = struct.unpack_from("<i", head, 44)
    size, = struct.unpack_from("<Q", head, 64)
    ends = struct.unpack(f"<{n + 1}I", f.read(4 * (n + 1)))
    scores = struct.unpack(f"<{n}f", f.read(4 * n))
    blob = f.read(size)
pieces = [(blob[ends[i] : ends[i + 1]].decode(), scores[i]) for i in range(n)]


def tokenizer(normaliser):
    t = Tokenizer(models.Unigram(pieces, 3))
    if normaliser:
        t.normalizer = normaliser
    t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    return t


# NFKC stands for the model's own table, which differs from it in a few characters.
normalising = tokenizer(normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]))
bare = tokenizer(None)
print(json.dumps({"version": tokenizers.__version__}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    t = normalising if request["normalise"] else bare
    started = time.perf_counter()
    tokens = sum(len(e.ids) for e in t.encode_batch_fast(request["texts"], add_special_tokens=False))
    print(json.dumps({"tokens": tokens, "seconds": time.perf_counter() - started}), flush=True)
