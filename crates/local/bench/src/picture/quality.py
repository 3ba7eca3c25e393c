"""Compares thumbnails with a float Lanczos reduction of the decoded original. Reads a JSON request per line of
standard input and prints a JSON result per line.

PSNR covers red, green and blue, chroma PSNR both colour differences. SSIM covers the luma, with a Gaussian window of
11 pixels.
"""

import json
import math
import sys

import pyvips


def load(path):
    image = pyvips.Image.new_from_file(path).autorot().colourspace("srgb")
    return (image.flatten(background=255) if image.hasalpha() else image).cast("float")


def reference(path, width, height):
    image = load(path)
    image = image.reducev(image.height / height, kernel="lanczos3")
    image = image.reduceh(image.width / width, kernel="lanczos3")
    return image.crop(0, 0, width, height).copy_memory()


def luma(image):
    return image[0] * 0.299 + image[1] * 0.587 + image[2] * 0.114


def chroma(image):
    y = luma(image)
    return ((image[2] - y) * 0.564).bandjoin((image[0] - y) * 0.713)


def blur(image):
    window = [math.exp(-(x * x) / (2 * 1.5 * 1.5)) for x in range(-5, 6)]
    total = sum(window)
    mask = pyvips.Image.new_from_array([[w / total for w in window]])
    return image.convsep(mask, precision="float")


def psnr(a, b):
    return 10 * math.log10(255 * 255 / ((a - b) ** 2).avg())


def ssim(a, b):
    a, b = luma(a), luma(b)
    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2
    covariance = blur(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    top = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    index = top / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
    return index.crop(5, 5, index.width - 10, index.height - 10).avg()


for line in sys.stdin:
    request = json.loads(line)
    results, references = [], {}
    for path in request["thumbnails"]:
        image = load(path)
        size = (image.width, image.height)
        if size not in references:
            references[size] = reference(request["original"], *size)
        expected = references[size]
        results.append({
            "psnr": psnr(image, expected),
            "chroma_psnr": psnr(chroma(image), chroma(expected)),
            "ssim": ssim(image, expected),
        })
    print(json.dumps(results), flush=True)
