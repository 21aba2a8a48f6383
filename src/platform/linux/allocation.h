// SPDX-License-Identifier: Apache-2.0
// How the C library's allocator treats the buffers of a node that moves shards. Of the whole
// process, once, before threads are started.
#pragma once

namespace hm::linux {

// Buffers of shards and frames are taken from the heap and go back to it, up to a bound, instead of
// being mapped anew from the kernel each time: it clears every page of such a mapping, which takes
// longer than all that is done with the bytes. Does nothing where the C library is another one.
void keep_large_buffers();

}  // namespace hm::linux
