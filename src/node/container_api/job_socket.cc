// SPDX-License-Identifier: Apache-2.0
#include "node/container_api/job_socket.h"

#include <algorithm>
#include <utility>

#include "node/container_api/container_api.h"
#include "node/container_api/container_socket.h"

namespace hm::container_api {
namespace {

constexpr std::size_t kPiece = 64 * 1024;

class JobTeller final : public hosting::JobListener {
 public:
  JobTeller(const node::Node& node, std::shared_ptr<ports::WebSocket> socket)
      : node_(node), socket_(std::move(socket)) {}

  void on_committed(std::size_t done, std::size_t total) override {
    api::JsonWriter json;
    json.begin_object().key("committed").begin_object();
    json.member("done", done).member("total", total).end_object().end_object();
    socket_->send(framed(std::move(json)));
  }
  // A result is at most what a sealed run may write, which a socket holds.
  void on_result(ByteView out, ByteView error) override {
    send(Framed::Main, out);
    send(Framed::Error, error);
  }
  void on_verdict(const hosting::JobVerdict& verdict) override {
    api::JsonWriter json;
    json.begin_object().key("verdict").begin_object();
    json.member("agreeing", verdict.agreeing).member("reported", verdict.reported);
    json.key("replicas").begin_array();
    for (const auto& line : verdict.lines) write_line(json, line);
    json.end_array().end_object().end_object();
    socket_->send(framed(std::move(json)));
    if (verdict.exit) {
      api::JsonWriter end;
      end.begin_object().key("exit");
      write_exit(end, *verdict.exit);
      end.end_object();
      socket_->send(framed(std::move(end)));
    } else {
      socket_->send(
          framed(Error{ErrorCode::FailedPrecondition, "too few of the replicas agree on a result",
                       "the verdict says what each gave; a program that does not give the "
                       "same result each time cannot be run so"}));
    }
    socket_->close(ports::WebSocketClose::Normal, {});
  }

 private:
  void send(Framed what, ByteView bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += kPiece) {
      const ByteView piece = bytes.subspan(at, std::min(kPiece, bytes.size() - at));
      socket_->send(framed(what, as_text(piece)));
    }
  }
  void write_line(api::JsonWriter& json, const hosting::JobVerdict::Line& line) const {
    json.begin_object().member("node", line.provider.to_string());
    const auto* node = node_.ledger().node(line.provider);
    json.member("node_name", node != nullptr ? node->binding.name : std::string());
    json.member("run", line.run.to_string()).member("answer", hosting::name_of(line.answer));
    if (line.answer == hosting::Answer::Failed) {
      json.member("why", line.why);
    } else {
      json.member("output", line.output.to_string()).member("exit_code", line.exit_code);
    }
    json.end_object();
  }

  const node::Node& node_;
  std::shared_ptr<ports::WebSocket> socket_;
};

}  // namespace

Result<std::shared_ptr<hosting::ReplicatedJob>> start_job(
    JobPorts ports, api::JobRequest request, std::shared_ptr<ports::WebSocket> socket) {
  hosting::JobOrder order{.spec = std::move(request.spec),
                          .image = std::move(request.image_name),
                          .quorum = request.quorum,
                          .patience = std::chrono::milliseconds(request.timeout_ms)};
  for (api::JobRequest::Replica& replica : request.replicas) {
    const auto provider = find_node(ports.node, replica.node);
    if (!provider) return fail(ErrorCode::NotFound, provider.error().message, {});
    order.replicas.push_back({*provider, std::move(replica.leases)});
  }
  return hosting::ReplicatedJob::start(ports.node, ports.operations, ports.desk, std::move(order),
                                       std::make_shared<JobTeller>(ports.node, std::move(socket)));
}

}  // namespace hm::container_api
