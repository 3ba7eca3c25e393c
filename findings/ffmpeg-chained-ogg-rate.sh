#!/usr/bin/env bash
# ffmpeg: a chained Ogg whose sampling rate or channel count changes loses everything behind the change, and the exit
# status is 0.
#
# One would guess: ffmpeg resamples what follows, as it does for joined MP3s, or fails.
# What happens: it prints "Sample rate change is not supported" (or "Channel change"), stops reading, finishes the output
# with what it has, and exits with 0. Two recordings of 2 s become one of 2 s. A chain of one format is decoded whole.
# A program that looks at the exit status alone publishes half of the recording.
#
# Source: libavformat/oggparsevorbis.c of FFmpeg 9.0 (vorbis_packet); RFC 3533, section 4, allows such chains.
# Needs: Python 3 with venv and pip. Takes 10 s.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet imageio-ffmpeg==0.8.1
ffmpeg=$(venv/bin/python -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')
"$ffmpeg" -version | head -1

tone() { # FILE RATE CHANNELS: a tone of 2 s
    "$ffmpeg" -nostdin -v error -f lavfi -i "sine=440:d=2:sample_rate=$2" -ac "$3" -c:a libvorbis "$1"
}
tone first.ogg 44100 1
tone same.ogg 44100 1
tone rate.ogg 22050 1
tone channels.ogg 44100 2

decoded() { # FILE: seconds and exit status
    local status=0
    "$ffmpeg" -nostdin -v quiet -y -i "$1" -f f32le -ac 1 -ar 44100 samples || status=$?
    echo "$(($(stat -c %s samples) / 4 / 44100)) s, exit status $status"
}
for second in same rate channels; do
    cat first.ogg "$second.ogg" > chain.ogg
    echo "2 s and 2 s, $second: $(decoded chain.ogg)"
done | tee found

expected='2 s and 2 s, same: 4 s, exit status 0
2 s and 2 s, rate: 2 s, exit status 0
2 s and 2 s, channels: 2 s, exit status 0'
if [ "$(cat found)" != "$expected" ]; then
    echo "The behaviour has changed."
    exit 1
fi
