// SPDX-License-Identifier: Apache-2.0
// Where the mount points of a container lie in its files, judged before an OCI runtime mounts
// anything there. Runtimes differ: where a link of the image leads to /proc, runc refuses and crun
// mounts over the container's own /proc.
//
// A link on the way to a mount point is followed inside the root only. Refused are a mount point
// that is a link itself or no folder, a way that ends in a link to nothing, every place in /proc,
// /sys and /dev but /dev/shm, links inside a volume, and an image in which /proc or /dev is not an
// ordinary folder.
//
// Nothing runs in the root at that time: it is made of the image's layers and of what the container
// wrote before its last exit. What a copy brings into it, or another container of the same tenant
// into a volume, between the judgement and the mounting is not seen. The OCI runtime then still
// stays inside the root; all that is gained is a mount over something of one's own.
#pragma once

#include <string>
#include <vector>

#include "foundation/base/result.h"

namespace hm::containers_linux {

struct MountPoint {
  std::string path;    // inside the container, as RunSpec has them: absolute, without ".."
  std::string source;  // the folder that will be seen there; empty: one with nothing in it
};

// `root` is the container's root file system. InvalidArgument names the path, where it leads, and
// what to do.
Result<void> check_mount_points(const std::string& root, std::vector<MountPoint> points);

}  // namespace hm::containers_linux
