// SPDX-License-Identifier: Apache-2.0
#include "node/container_api/container_socket.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/api/container_request.h"
#include "core/api/limits.h"
#include "node/container_api/container_api.h"

namespace hm::container_api {
namespace {

using api::JsonWriter;

// A start has 128 KiB of texts at most (core/containers/limits.h), and JSON may double them.
constexpr std::size_t kFirstMessage = 256 * 1024;
// While more than this waits for the client, nothing more is taken from the container.
constexpr std::size_t kPendingMark = 256 * 1024;

class ContainerSocket final : public ports::WebSocketListener,
                              public hosting::StreamListener,
                              public std::enable_shared_from_this<ContainerSocket> {
 public:
  explicit ContainerSocket(JobPorts ports) : ports_(ports), node_(ports.node), desk_(ports.desk) {}

  void begin(std::shared_ptr<ports::WebSocket> socket) {
    socket_ = std::move(socket);
    allowed_ = kFirstMessage;
    socket_->allow(kFirstMessage);
  }

  // ports::WebSocketListener
  void on_message(std::string_view payload) override {
    if (payload.empty()) return fail({ErrorCode::InvalidArgument, "an empty message", {}});
    allowed_ -= std::min(allowed_, payload.size());
    const auto what = static_cast<Framed>(payload.front());
    payload.remove_prefix(1);
    if (job_) return fail({ErrorCode::InvalidArgument, "a job takes no words", {}});
    if (!stream_) {
      if (what != Framed::Json) {
        return fail({ErrorCode::InvalidArgument, "the first message is no JSON", {}});
      }
      return open(payload);
    }
    if (what == Framed::Json) {
      on_word(payload);
    } else if (what == Framed::Main) {
      input_.append(payload);
      pass_input();
    } else {
      fail({ErrorCode::InvalidArgument, "a message of no known kind", {}});
    }
    allow_more();
  }
  void on_drained() override { take_more(); }
  void on_closed(ports::WebSocketClose /*code*/, std::string_view /*reason*/) override {
    const auto self = shared_from_this();
    socket_.reset();
    leave();
  }

  // hosting::StreamListener
  void on_data(hosting::Lane lane, ByteView bytes) override {
    untaken_ += bytes.size();
    if (socket_) {
      const auto what = lane == hosting::Lane::Main ? Framed::Main : Framed::Error;
      socket_->send(framed(what, as_text(bytes)));
    }
    take_more();
  }
  void on_room() override {
    pass_input();
    allow_more();
  }
  void on_report(const hosting::Report& report) override {
    JsonWriter json;
    json.begin_object();
    if (const auto* progress = std::get_if<hosting::ProgressReport>(&report)) {
      json.key("progress").begin_object();
      json.member("phase", hosting::name_of(progress->phase)).member("done", progress->done);
      json.member("total", progress->total).end_object();
    } else if (const auto* started = std::get_if<hosting::StartedReport>(&report)) {
      json.key("started").begin_object().member("clamped", started->clamped).end_object();
    } else {
      return;
    }
    json.end_object();
    say(std::move(json));
  }
  void on_closed(const hosting::Outcome& outcome) override {
    const auto self = shared_from_this();
    started_run_.reset();
    if (const auto* failure = std::get_if<hosting::Failure>(&outcome)) {
      return fail({failure->code, failure->message, failure->detail});
    }
    JsonWriter json;
    json.begin_object();
    if (const auto* exit = std::get_if<hosting::RunExit>(&outcome)) {
      json.key("exit");
      write_exit(json, *exit);
    } else {
      json.member("done", true);
    }
    json.end_object();
    say(std::move(json));
    end(ports::WebSocketClose::Normal);
  }

 private:
  void open(std::string_view body) {
    auto request = api::decode_container_stream(body);
    if (!request) {
      return fail({ErrorCode::InvalidArgument,
                   "the first message: " + request.error().field + ' ' + request.error().problem,
                   {}});
    }
    if (auto* job = std::get_if<api::JobRequest>(&*request)) return open_job(*job);
    auto opened = std::visit([this](auto& r) { return open(r); }, *request);
    if (!opened) return fail(opened.error());
    stream_ = std::move(*opened);
    if (started_run_) {
      JsonWriter json;
      json.begin_object().key("run").begin_object();
      json.member("run", started_run_->to_string()).end_object().end_object();
      say(std::move(json));
    }
    allow_more();
  }
  void open_job(api::JobRequest& request) {
    auto job = start_job(ports_, std::move(request), socket_);
    if (!job) return fail(job.error());
    job_ = std::move(*job);
    allow_more();
  }
  using Opened = Result<std::shared_ptr<hosting::Stream>>;

  Opened open(api::JobRequest& /*request*/) {
    return std::unexpected(Error{ErrorCode::InvalidArgument, "a job is no stream", {}});
  }
  Opened open(api::StartRequest& request) {
    const auto provider = find_node(node_, request.node);
    if (!provider) return std::unexpected(Error{ErrorCode::NotFound, provider.error().message, {}});
    const bool is_attached = request.spec.lifetime == containers::Lifetime::Attached;
    HM_TRY(auto started, desk_.start({.provider = *provider,
                                      .spec = std::move(request.spec),
                                      .leases = std::move(request.leases),
                                      .image = std::move(request.image_name)},
                                     shared_from_this()));
    started_run_ = started.run;
    is_watched_ = is_attached;
    return std::move(started.stream);
  }
  Opened about(const std::string& run,
               const std::function<hosting::Request(hosting::RunId)>& make) {
    HM_TRY(const hosting::RunId id, desk_.find(run));
    return desk_.open(id, make(id), shared_from_this());
  }
  Opened open(api::ExecRequest& request) {
    return about(request.run, [&](const auto& id) {
      return hosting::ExecInRun{id, std::move(request.process)};
    });
  }
  Opened open(api::LogsRequest& request) {
    return about(request.run, [&](const auto& id) {
      return hosting::ReadLogs{id, request.tail,
                               request.follow ? hosting::Follow::Yes : hosting::Follow::No};
    });
  }
  Opened open(api::CopyRequest& request) {
    return about(request.run, [&](const auto& id) {
      return hosting::CopyFiles{id, request.into ? hosting::CopyWay::Into : hosting::CopyWay::OutOf,
                                request.path};
    });
  }
  Opened open(api::ConnectRequest& request) {
    return about(request.run,
                 [&](const auto& id) { return hosting::ConnectPort{id, request.port}; });
  }
  Opened open(api::AttachRequest& request) {
    return about(request.run, [&](const auto& id) { return hosting::AttachRun{id}; });
  }

  void on_word(std::string_view body) {
    const auto word = api::decode_stream_word(body);
    if (!word) {
      return fail({ErrorCode::InvalidArgument,
                   "a word of the stream: " + word.error().field + ' ' + word.error().problem,
                   {}});
    }
    if (const auto* signal = std::get_if<api::SignalWord>(&*word)) {
      stream_->command(hosting::SendSignal{signal->number});
    } else if (const auto* size = std::get_if<api::ResizeWord>(&*word)) {
      stream_->command(hosting::ResizeTerminal{size->rows, size->columns});
    } else {
      input_ended_ = true;
      pass_input();
    }
  }

  void pass_input() {
    if (!stream_) return;
    const std::size_t now = std::min(stream_->room(), input_.size());
    if (now > 0) {
      stream_->send(hosting::Lane::Main, as_bytes(std::string_view(input_).substr(0, now)));
      input_.erase(0, now);
    }
    if (input_ended_ && input_.empty()) stream_->end_input();
  }

  // As much as the stream takes; words are few and short and always have room.
  void allow_more() {
    if (!socket_ || !stream_ || !input_.empty()) return;
    const std::size_t wanted = std::max<std::size_t>(stream_->room(), 1);
    if (wanted <= allowed_) return;
    socket_->allow(wanted - allowed_);
    allowed_ = wanted;
  }
  void take_more() {
    if (!stream_ || untaken_ == 0) return;
    if (socket_ && socket_->pending() > kPendingMark) return;
    stream_->take(std::exchange(untaken_, 0));
  }

  void say(JsonWriter json) {
    if (socket_) socket_->send(framed(std::move(json)));
  }
  void fail(const Error& error) {
    if (socket_) socket_->send(framed(error));
    end(ports::WebSocketClose::Normal);
  }
  void end(ports::WebSocketClose code) {
    if (const auto socket = std::exchange(socket_, nullptr)) socket->close(code, {});
    leave();
  }
  // Nobody is there any more.
  void leave() {
    if (const auto run = std::exchange(started_run_, std::nullopt); run && is_watched_) {
      desk_.forget(*run);
    }
    stream_.reset();
    if (const auto job = std::exchange(job_, nullptr)) job->cancel();
  }

  JobPorts ports_;
  node::Node& node_;
  hosting::ContainerDesk& desk_;
  std::shared_ptr<ports::WebSocket> socket_;
  std::shared_ptr<hosting::Stream> stream_;
  std::shared_ptr<hosting::ReplicatedJob> job_;
  std::optional<hosting::RunId> started_run_;
  bool is_watched_ = false;  // it ends with this socket
  std::size_t allowed_ = 0;  // bytes of messages that may still come
  std::string input_;        // until the stream has room
  bool input_ended_ = false;
  std::size_t untaken_ = 0;
};

}  // namespace

std::string framed(Framed what, std::string_view payload) {
  std::string message;
  message.reserve(payload.size() + 1);
  message.push_back(static_cast<char>(what));
  message.append(payload);
  return message;
}

std::string framed(JsonWriter json) { return framed(Framed::Json, std::move(json).take()); }

std::string framed(const Error& error) {
  JsonWriter json;
  json.begin_object().key("error").begin_object();
  json.member("code", name_of(error.code)).member("message", error.message);
  json.member("detail", error.detail).end_object().end_object();
  return framed(std::move(json));
}

void open_container_socket(JobPorts ports, std::unique_ptr<ports::HttpResponder> responder) {
  auto socket = std::make_shared<ContainerSocket>(ports);
  if (auto opened = responder->accept_web_socket(kProtocol, socket)) {
    socket->begin(std::move(opened));
  }
}

}  // namespace hm::container_api
