#!/usr/bin/env bash
# ffmpeg: Opus in an MP4 that ffmpeg itself wrote is decoded beyond the end of the edit list. AAC is exact.
#
# One would guess: a second of sound, 48,000 samples, comes back as 48,000 samples, since the edit list says where it starts
# and ends.
# What happens: the edit list is right (312 samples of priming skipped, then 48,000), but 48,648 samples come back. The
# filling of the last packet, 648 samples, is played. If the edit ends within an earlier packet, the cut is exact. With AAC
# and the same edit list the count is exact, too. So lengths measured by ffmpeg and by a player that follows the edit list
# differ by up to a packet.
#
# Source: ISO/IEC 14496-12, section 8.6.6 (edit list); "Encapsulation of Opus in ISO Base Media File Format", section 4.4.
# Needs: Python 3 with venv and pip. Takes 10 s.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet imageio-ffmpeg==0.8.1
ffmpeg=$(venv/bin/python -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')
"$ffmpeg" -version | head -1

cat > edit.py <<'PY'
"""Prints the edit of FILE as duration and start in samples at 48 kHz; with a third argument, sets the duration."""
import struct, sys

path, *duration = sys.argv[1:]
data = bytearray(open(path, "rb").read())
movie = data.find(b"mvhd") + 16
scale = struct.unpack(">I", data[movie : movie + 4])[0]
edit = data.find(b"elst") + 12
if duration:
    data[edit : edit + 4] = struct.pack(">I", int(duration[0]) * scale // 48000)
    open(path, "wb").write(data)
length, start = struct.unpack(">Ii", data[edit : edit + 8])
print(length * 48000 // scale, start)
PY

measure() { # FILE: the edit and the decoded samples
    "$ffmpeg" -nostdin -v error -y -i "$1" -f f32le -ac 1 -ar 48000 samples
    read -r length start < <(python3 edit.py "$1")
    echo "edit of $length from $start, decoded $(($(stat -c %s samples) / 4))"
}
{
    for codec in libopus aac; do
        "$ffmpeg" -nostdin -v error -f lavfi -i "sine=440:d=1:sample_rate=48000" -c:a "$codec" "$codec.mp4"
        echo "$codec: $(measure "$codec.mp4")"
    done
    python3 edit.py libopus.mp4 24000 > /dev/null
    echo "libopus, cut: $(measure libopus.mp4)"
} | tee found

expected='libopus: edit of 48000 from 312, decoded 48648
aac: edit of 48000 from 1024, decoded 48000
libopus, cut: edit of 24000 from 312, decoded 24000'
if [ "$(cat found)" != "$expected" ]; then
    echo "The behaviour has changed."
    exit 1
fi
