"""Converts the photographs of two Debian packages to the inputs of the benchmark: prepare.py SOURCE TARGET."""

import glob
import os
import sys

import pyvips

SOURCE, TARGET = sys.argv[1:]


def photo(name):
    [path] = glob.glob(os.path.join(SOURCE, "**", name + "_by_*.jpg"), recursive=True)
    return pyvips.Image.new_from_file(path)


def scaled(image, width, height):
    return image.thumbnail_image(width, height=height, size="force").copy_memory()


def jpeg(image, name, quality, sampling, **options):
    path = os.path.join(TARGET, name + ".jpg")
    subsample = {"420": "on", "444": "off"}[sampling]
    image.jpegsave(path, Q=quality, subsample_mode=subsample, **{"keep": "none"} | options)


dragonfly = scaled(photo("Dragonfly"), 4000, 3000)
jpeg(dragonfly, "dragonfly-12mp-420", 96, "420")
jpeg(dragonfly, "dragonfly-12mp-444", 96, "444")
jpeg(dragonfly, "dragonfly-12mp-progressive", 96, "420", interlace=True)
# Its thumbnail has an odd height.
jpeg(scaled(dragonfly, 4000, 2997), "dragonfly-12mp-odd-444", 96, "444")
mountains = scaled(photo("picosdeeuropa"), 4000, 3000)
jpeg(mountains, "mountains-12mp-420", 94, "420")

# Like a photograph of a phone held upright: stored rotated, with EXIF orientation 6.
sunset = photo("sunset").rot270().copy()
sunset.set_type(pyvips.GValue.gint_type, "orientation", 6)
jpeg(sunset, "sunset-12mp-rotated", 96, "420", keep="exif")

bird = scaled(photo("Kleiber"), 6532, 3674)
jpeg(bird, "bird-24mp-420", 94, "420")
jpeg(bird, "bird-24mp-444", 94, "444")

photo("picosdeeuropa").pngsave(os.path.join(TARGET, "mountains-8mp.png"), keep="none")
friends = scaled(photo("friends"), 1632, 2451)
friends.webpsave(os.path.join(TARGET, "dogs-4mp-lossy.webp"), Q=85, keep="none")
friends.webpsave(os.path.join(TARGET, "dogs-4mp-lossless.webp"), lossless=True, effort=2, keep="none")
