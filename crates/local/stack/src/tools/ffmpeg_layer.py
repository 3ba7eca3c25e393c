"""Makes the ZIP of a Lambda layer with bin/ffmpeg. Arguments: a wheel of imageio-ffmpeg, the SHA-256 of its ffmpeg, the ZIP."""

import hashlib
import sys
import zipfile

wheel, expected, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    [name] = [name for name in archive.namelist() if name.startswith("imageio_ffmpeg/binaries/ffmpeg-")]
    program = archive.read(name)
digest = hashlib.sha256(program).hexdigest()
if digest != expected:
    sys.exit(f"{name} has the digest {digest}, not {expected}")
# Without the time, so that equal programs make equal layers.
entry = zipfile.ZipInfo("bin/ffmpeg")
entry.external_attr = 0o755 << 16
entry.create_system = 3
entry.compress_type = zipfile.ZIP_DEFLATED
with zipfile.ZipFile(target, "w") as archive:
    archive.writestr(entry, program)
