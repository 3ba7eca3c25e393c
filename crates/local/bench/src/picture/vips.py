"""Measures pyvips. Reads a JSON request per line of standard input and prints a JSON result per line."""

import json
import os
import re
import sys
import time

os.environ["VIPS_CONCURRENCY"] = "1"

import pyvips  # noqa: E402 (the library reads the environment during import)

pyvips.cache_set_max(0)

BOUNDS = [1080, 512, 128]


def encode(image, kind):
    if kind == "jpeg":
        return image.jpegsave_buffer(Q=80, optimize_coding=True, subsample_mode="on", keep="none")
    return image.webpsave_buffer(Q=80, effort=4, keep="none")


def cascade(data, formats):
    """Decodes once. Each size is made from the previous one."""
    out = []
    image = None
    for bound in BOUNDS:
        if image is None:
            image = pyvips.Image.thumbnail_buffer(data, bound, height=bound, size="down")
        else:
            image = image.thumbnail_image(bound, height=bound, size="down")
        image = image.copy_memory()
        out += [(bound, kind, encode(image, kind)) for kind in formats]
    return out


def independent(data, formats):
    """Makes every size from the original."""
    out = []
    for bound in BOUNDS:
        for kind in formats:
            image = pyvips.Image.thumbnail_buffer(data, bound, height=bound, size="down")
            out.append((bound, kind, encode(image, kind)))
    return out


def status(name):
    with open("/proc/self/status") as lines:
        return int(re.search(name + r":\s+(\d+)", lines.read()).group(1))


def measure(request):
    with open(request["file"], "rb") as file:
        data = file.read()
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    before = status("VmRSS")
    start = time.process_time()
    files = (cascade if request["strategy"] == "cascade" else independent)(data, request["formats"])
    elapsed = time.process_time() - start
    peak = status("VmHWM")
    if request["out"]:
        for bound, kind, content in files:
            with open(os.path.join(request["out"], f"{bound}.{kind}"), "wb") as file:
                file.write(content)
    return {"cpu_ms": elapsed * 1000, "grown_kib": peak - before, "peak_kib": peak}


for line in sys.stdin:
    print(json.dumps(measure(json.loads(line))), flush=True)
