#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Process 1 of the machine of tests/pure_cgroup2.py, from memory: finds the disk and goes there.
set -e
mount -t proc proc /proc
mount -t devtmpfs dev /dev
while read -r module; do insmod "/modules/$module"; done </modules/early
mount -t ext4 /dev/vda /disk
umount /proc
exec switch_root /disk /sbin/init
