# SPDX-License-Identifier: Apache-2.0
"""An image for end-to-end tests, made of this machine's static busybox: an OCI layout in a tar
archive, as other programs write it."""

import hashlib
import io
import json
import shutil
import subprocess
import tarfile
from pathlib import Path

APPLETS = ("sh echo cat sleep ls head tail tr dd wc env id hostname httpd nc ip kill ps true false test touch mkdir "
           "rm sha256sum printf seq mount yes uname stty").split()
PASSWD = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\nrunner:x:1000:1000::/:/bin/sh\n"


def static_busybox():
    """Its path; None if there is none, or it needs libraries."""
    path = shutil.which("busybox")
    if path is None:
        return None
    needs = subprocess.run(["ldd", path], capture_output=True, text=True)
    return path if needs.returncode != 0 or "not a dynamic" in needs.stdout + needs.stderr else None


def add(archive, name, content=None, mode=0o644, link=None):
    entry = tarfile.TarInfo(name)
    entry.mode = mode
    if link is not None:
        entry.type, entry.linkname = tarfile.SYMTYPE, link
    elif content is None:
        entry.type, entry.mode = tarfile.DIRTYPE, mode
    else:
        entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content) if content is not None else None)


def layer(files):
    bytes_ = io.BytesIO()
    with tarfile.open(fileobj=bytes_, mode="w") as archive:
        for folder in ("bin", "etc", "root", "srv", "proc", "sys", "dev"):
            add(archive, folder, mode=0o755)
        add(archive, "tmp", mode=0o1777)
        add(archive, "bin/busybox", Path(static_busybox()).read_bytes(), 0o755)
        for applet in APPLETS:
            add(archive, f"bin/{applet}", link="busybox")
        add(archive, "etc/passwd", PASSWD.encode())
        add(archive, "etc/group", b"root:x:0:\nrunner:x:1000:\n")
        for name, content in files.items():
            add(archive, name, content)
    return bytes_.getvalue()


def write_layout(path, name, files=None, command=("/bin/sh",)):
    """Writes the archive; `files` are added to busybox."""
    blobs = {}

    def keep(content):
        digest = hashlib.sha256(content).hexdigest()
        blobs[digest] = content
        return {"digest": f"sha256:{digest}", "size": len(content)}

    tar = layer(files or {})
    config = keep(json.dumps({
        "architecture": "amd64", "os": "linux", "created": "2026-01-01T00:00:00Z",
        "config": {"Cmd": list(command), "Env": ["PATH=/bin", "MADE=test"], "WorkingDir": "/"},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(tar).hexdigest()}"]},
    }).encode())
    manifest = keep(json.dumps({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", **keep(tar)}],
    }).encode())
    index = {"schemaVersion": 2, "manifests": [{
        "mediaType": "application/vnd.oci.image.manifest.v1+json", **manifest,
        "annotations": {"org.opencontainers.image.ref.name": name}}]}
    with tarfile.open(path, "w") as archive:
        add(archive, "oci-layout", json.dumps({"imageLayoutVersion": "1.0.0"}).encode())
        add(archive, "index.json", json.dumps(index).encode())
        for digest, content in blobs.items():
            add(archive, f"blobs/sha256/{digest}", content)
