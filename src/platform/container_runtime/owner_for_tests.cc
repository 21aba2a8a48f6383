// SPDX-License-Identifier: Apache-2.0
// A daemon for tests to kill: it starts one container and attaches to it, says so, and waits.
//   container-owner STATE MONITOR GROUP TAG LAYER ID SCRIPT
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cstdio>
#include <cstdlib>

#include "platform/container_runtime/runtime.h"
#include "platform/loop/event_loop.h"

namespace {

class Printer final : public hm::ports::ContainerStreamListener {
 public:
  void on_output(Lane, hm::ByteView bytes) override {
    std::fwrite(bytes.data(), 1, bytes.size(), stdout);
    std::fflush(stdout);
  }
  void on_taken(std::size_t) override {}
  void on_end(const hm::Result<hm::ports::ProcessExit>&) override {}
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 8) return 2;
  hm::loop::EventLoop loop(2);
  const char* chosen = std::getenv("HYPERMESH_TEST_RUNTIME");
  const hm::container_runtime::RuntimeOptions options{
      .state_folder = argv[1],
      .runtime_path = chosen == nullptr ? "" : chosen,
      .monitor_path = argv[2],
      .group = argv[3],
      .network_tag = argv[4]};
  auto runtime = hm::container_runtime::open_runtime(loop.context(), loop.workers(), options);
  if (!runtime) return 1;
  hm::ports::ContainerOrder order{.id = argv[6]};
  order.spec.process.arguments = {"/bin/sh", "-c", argv[7]};
  order.spec.limits.memory_bytes = 64 << 20;
  order.spec.lifetime = hm::containers::Lifetime::Detached;
  order.label = {7};
  const std::string config =
      R"({"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[)"
      R"("sha256:)" +
      std::string(64, '0') + R"("]}})";
  Printer printer;
  std::unique_ptr<hm::ports::ContainerStream> stream;
  (*runtime)->start(std::move(order),
                    {.layers = {argv[5]}, .config = hm::to_bytes(hm::as_bytes(config)), .hold = {}},
                    &printer, [&stream](hm::ports::StreamResult started) {
                      if (!started) ::_exit(1);
                      stream = std::move(*started);
                      stream->allow(1 << 20);
                    });
  loop.run();
}
