"""Generates the HEIC files: python make.py OUT PHOTOS. Requires pillow-heif 1.8.1, Pillow and numpy."""

import sys

import numpy as np
import pillow_heif
from PIL import Image

out, photos = sys.argv[1:]
pillow_heif.register_heif_opener()


def save(name, image, quality=90, **options):
    image.save(f"{out}/{name}.heic", quality=quality, **options)


def colours(matrix, full, primaries=1, transfer=13):
    return {
        "matrix_coefficients": matrix,
        "full_range_flag": full,
        "color_primaries": primaries,
        "transfer_characteristics": transfer,
    }


# Quarters of four colours, with a white bar in one of them.
pixels = np.zeros((120, 200, 3), np.uint8)
pixels[:60, :100] = 200, 30, 30
pixels[:60, 100:] = 30, 160, 60
pixels[60:, :100] = 40, 60, 200
pixels[60:, 100:] = 220, 200, 40
pixels[20:28, 20:60] = 255
pattern = Image.fromarray(pixels)

save("plain", pattern)
save("444", pattern, chroma=444)
save("422", pattern, chroma=422)
save("grey", pattern.convert("L"))
save("bt709", pattern, **colours(1, 1))
save("video-range", pattern, **colours(6, 0))
save("bt2020-matrix", pattern, **colours(9, 0))
save("p3", pattern, **colours(6, 1, primaries=12))
save("pq", pattern, **colours(9, 0, primaries=9, transfer=16))

# Opaque on the left, half transparent and fully transparent on the right.
alpha = np.zeros((120, 200), np.uint8)
alpha[:, :100] = 255
alpha[:60, 100:] = 128
save("rgba", Image.fromarray(np.dstack([pixels, alpha])))

deep = (pixels.astype(np.uint16) * 257).tobytes()
pillow_heif.from_bytes(mode="RGB;16", size=(200, 120), data=deep).save(f"{out}/deep.heic", quality=90)

for name, colour in {
    "red": (200, 30, 30),
    "green": (30, 160, 60),
    "blue": (40, 60, 200),
    "yellow": (220, 200, 40),
}.items():
    save(f"tile-{name}", Image.new("RGB", (64, 64), colour))

save("고양이", Image.open(f"{photos}/고양이.jpg").convert("RGB"), quality=70)
