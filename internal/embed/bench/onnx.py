"""Runs ONNX models for the benchmark: reads one JSON object a line, {"model": path, "ids": [[...], ...], "batch": n, "repeat": n, "threads": n},
and answers {"seconds": [...]}, one figure a repetition. Sequences are sorted by length and padded to the longest of their batch."""
import json
import sys
import time

import numpy as np
import onnxruntime as ort

sessions = {}


def session(path, threads):
    if (path, threads) not in sessions:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        sessions[path, threads] = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return sessions[path, threads]


def batches(ids, size):
    ids = sorted(ids, key=len, reverse=True)
    for at in range(0, len(ids), size):
        part = ids[at : at + size]
        longest = len(part[0])
        tokens = np.zeros((len(part), longest), np.int64)
        mask = np.zeros_like(tokens)
        for i, sequence in enumerate(part):
            tokens[i, : len(sequence)] = sequence
            mask[i, : len(sequence)] = 1
        yield {"input_ids": tokens, "attention_mask": mask, "token_type_ids": np.zeros_like(tokens)}


print(json.dumps({"version": ort.__version__}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    run = session(request["model"], request["threads"])
    inputs = list(batches(request["ids"], request["batch"]))
    seconds = []
    for _ in range(request["repeat"]):
        started = time.perf_counter()
        for feed in inputs:
            run.run(None, feed)
        seconds.append(time.perf_counter() - started)
    print(json.dumps({"seconds": seconds}), flush=True)
