#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Process 1 of the machine of tests/pure_cgroup2.py, from its disk: mounts what Debian 12 mounts,
# runs each test program of /tests/plan and sends what it reported to the second serial line.
#   plan: NAME PROGRAM RUNTIME FILTER, one run a line; RUNTIME "-" is the daemon's own choice
#   sent: "begin NAME BYTES", the program's JSON report, "end NAME CODE"; "complete" after the last
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t tmpfs -o mode=755 tmpfs /run
mount -t cgroup2 -o nsdelegate cgroup2 /sys/fs/cgroup
while read -r module; do insmod "/modules/$module" || echo "no module $module"; done </modules/late
# Without swap its limits would hold by themselves.
mkswap /dev/vdb && swapon /dev/vdb
ip link set lo up
stty -F /dev/ttyS1 raw
cd /tests
while read -r name program runtime filter; do
  if [ "$runtime" = - ]; then unset HYPERMESH_TEST_RUNTIME; else export HYPERMESH_TEST_RUNTIME="$runtime"; fi
  report="/run/$name.json"
  "./$program" --gtest_filter="$filter" --gtest_output="json:$report" </dev/null
  code=$?
  touch "$report"
  {
    echo "begin $name $(wc -c <"$report")"
    cat "$report"
    echo "end $name $code"
  } >/dev/ttyS1
done <plan
echo complete >/dev/ttyS1
sync
poweroff -f
