// SPDX-License-Identifier: Apache-2.0
// Joins a stream between nodes with a stream into a container: bytes both ways, each against the
// other's window, so that nothing is kept here but what is already allowed.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "node/hosting/session_mux.h"
#include "ports/container_runtime.h"

namespace hm::hosting {

class RunBridge final : public StreamListener,
                        public ports::ContainerStreamListener,
                        public std::enable_shared_from_this<RunBridge> {
 public:
  // `on_left`: the other node went away, or wants nothing more, before the end. `on_over`: it was
  // told the end.
  RunBridge(std::shared_ptr<Stream> session, std::function<void()> on_left,
            std::function<void()> on_over = nullptr);

  // Once, when the container's end is there.
  void join(std::unique_ptr<ports::ContainerStream> container);
  // When there is none.
  void refuse(const Error& error);
  const std::shared_ptr<Stream>& session() const { return session_; }

  // StreamListener
  void on_data(hosting::Lane lane, ByteView bytes) override;
  void on_room() override;
  void on_end_of_input() override;
  void on_command(const Control& control) override;
  void on_closed(const Outcome& outcome) override;
  // ports::ContainerStreamListener
  void on_output(ports::ContainerStreamListener::Lane lane, ByteView bytes) override;
  void on_taken(std::size_t bytes) override;
  void on_end(const Result<ports::ProcessExit>& exit) override;

 private:
  void apply(const Control& control);

  std::shared_ptr<Stream> session_;
  std::function<void()> on_left_;
  std::function<void()> on_over_;
  std::unique_ptr<ports::ContainerStream> container_;
  std::size_t allowed_ = 0;   // output that may come and did not yet
  std::vector<Bytes> early_;  // what came before join(), within the window
  std::vector<Control> early_commands_;
  bool input_ended_ = false;
};

RunExit to_run_exit(const ports::ProcessExit& exit);

}  // namespace hm::hosting
