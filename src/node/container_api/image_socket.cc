// SPDX-License-Identifier: Apache-2.0
#include "node/container_api/image_socket.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <optional>
#include <utility>

#include "core/api/container_request.h"
#include "node/container_api/container_socket.h"

namespace hm::container_api {
namespace {

using api::JsonWriter;

// Of an archive, in memory between the socket and the disk; also what is read from it at a time.
constexpr std::size_t kWindow = std::size_t{1} << 20;
// While more than this waits for the client, nothing more is read.
constexpr std::size_t kPendingMark = 256 * 1024;
constexpr std::size_t kPiece = 64 * 1024;
constexpr Duration kProgressPause = std::chrono::milliseconds(200);

// Written by a worker, read by the loop.
struct Counters {
  std::atomic<std::uint64_t> done{0};
  std::atomic<std::uint64_t> total{0};
};

class ImageSocket final : public ports::WebSocketListener,
                          public std::enable_shared_from_this<ImageSocket> {
 public:
  explicit ImageSocket(ImageSocketPorts ports)
      : ports_(ports), timer_(ports.timers.create([this] { tell_progress(); })) {}

  void begin(std::shared_ptr<ports::WebSocket> socket) {
    socket_ = std::move(socket);
    socket_->allow(1);
  }

  void on_message(std::string_view payload) override {
    if (payload.empty()) return fail({ErrorCode::InvalidArgument, "an empty message", {}});
    const auto what = static_cast<Framed>(payload.front());
    payload.remove_prefix(1);
    if (!request_) {
      if (what == Framed::Json) return open(payload);
      return fail({ErrorCode::InvalidArgument, "the first message is no JSON", {}});
    }
    if (!std::holds_alternative<api::ImportRequest>(*request_)) {
      return fail({ErrorCode::InvalidArgument, "nothing more is expected", {}});
    }
    if (what == Framed::Main) {
      pieces_.push_back(to_bytes(as_bytes(payload)));
      write();
    } else if (const auto word = api::decode_stream_word(payload);
               word && std::holds_alternative<api::EndOfInputWord>(*word)) {
      input_ended_ = true;
      write();
    } else {
      fail({ErrorCode::InvalidArgument, "neither bytes nor their end", {}});
    }
  }
  void on_drained() override { read(); }
  void on_closed(ports::WebSocketClose /*code*/, std::string_view /*reason*/) override {
    socket_.reset();
    timer_->cancel();
  }

 private:
  template <class T>
  using Shared = std::shared_ptr<Result<T>>;

  // `work` on a worker, `then` with what it gave, if anybody is still there.
  template <class T, class Work, class Then>
  void off_loop(Work work, Then then) {
    auto result = std::make_shared<std::optional<Result<T>>>();
    is_busy_ = true;
    ports_.workers.submit([result, work = std::move(work)]() mutable { result->emplace(work()); },
                          [self = shared_from_this(), result, then = std::move(then)]() mutable {
                            self->is_busy_ = false;
                            if (!self->socket_) return;
                            if (!**result) return self->fail((**result).error());
                            then(*self, std::move(***result));
                          });
  }
  ports::ImageProgress progress() {
    return [counters = counters_](std::uint64_t done, std::uint64_t total) {
      counters->done = done;
      counters->total = total;
    };
  }

  void open(std::string_view body) {
    auto request = api::decode_image_stream(body);
    if (!request) {
      return fail({ErrorCode::InvalidArgument,
                   "the first message: " + request.error().field + ' ' + request.error().problem,
                   {}});
    }
    request_ = std::move(*request);
    timer_->arm(ports_.clock.now() + kProgressPause);
    std::visit([this](auto& r) { start(r); }, *request_);
  }
  void start(const api::PullRequest& r) { ask_registry(ports_.pull, r); }
  void start(const api::PushRequest& r) { ask_registry(ports_.push, r); }
  void ask_registry(const Registry& registry, const api::RegistryRequest& request) {
    if (!registry) return fail({ErrorCode::Unsupported, "this node asks no registries", {}});
    off_loop<ports::NamedImage>(
        [ask = registry, request, told = progress()] { return ask(request, told); },
        [](ImageSocket& self, ports::NamedImage image) { self.finish({std::move(image)}); });
  }
  void start(const api::ImportRequest& /*request*/) { make_file(&ImageSocket::write); }
  void start(const api::ExportRequest& request) {
    reference_ = request.reference;
    make_file(&ImageSocket::export_image);
  }
  void make_file(void (ImageSocket::*then)()) {
    off_loop<std::unique_ptr<ports::ScratchFile>>(
        [scratch = &ports_.scratch] { return scratch->create(); },
        [then](ImageSocket& self, std::unique_ptr<ports::ScratchFile> file) {
          self.file_ = std::move(file);
          self.socket_->allow(kWindow);
          (self.*then)();
        });
  }

  // Import: what came goes to the disk, and the whole then into the store.
  void write() {
    if (is_busy_ || !file_ || !socket_) return;
    if (pieces_.empty()) {
      if (input_ended_) import_archive();
      return;
    }
    Bytes piece = std::move(pieces_.front());
    pieces_.pop_front();
    const std::size_t size = piece.size();
    off_loop<bool>(
        [file = file_, piece = std::move(piece)]() -> Result<bool> {
          HM_TRY_VOID(file->append(piece));
          return true;
        },
        [size](ImageSocket& self, bool) {
          self.socket_->allow(size + 1);
          self.write();
        });
  }
  void import_archive() {
    off_loop<std::vector<ports::NamedImage>>(
        [file = file_, images = &ports_.images, told = progress(),
         reference = std::get<api::ImportRequest>(*request_).reference] {
          return images->import_file(file->path(), reference, told);
        },
        [](ImageSocket& self, std::vector<ports::NamedImage> images) {
          self.finish(std::move(images));
        });
  }

  // Export: the archive is made on the disk, and read from there.
  void export_image() {
    off_loop<std::uint64_t>(
        [file = file_, images = &ports_.images, reference = reference_]() -> Result<std::uint64_t> {
          HM_TRY(const auto found, images->find(reference));
          HM_TRY_VOID(images->export_file(found.manifest, found.reference, file->path()));
          return file->size();
        },
        [](ImageSocket& self, std::uint64_t size) {
          self.to_read_ = size;
          self.counters_->total = size;
          self.read();
        });
  }
  void read() {
    if (is_busy_ || !to_read_ || !socket_ || socket_->pending() > kPendingMark) return;
    if (read_ == *to_read_) return finish({});
    off_loop<Bytes>([file = file_, at = read_] { return file->read(at, kPiece); },
                    [](ImageSocket& self, const Bytes& piece) {
                      if (piece.empty()) {
                        return self.fail({ErrorCode::Io, "the archive cannot be read", {}});
                      }
                      self.read_ += piece.size();
                      self.counters_->done = self.read_;
                      self.socket_->send(framed(Framed::Main, as_text(piece)));
                      self.read();
                    });
  }

  void tell_progress() {
    if (!socket_) return;
    if (const std::uint64_t total = counters_->total; total != 0) {
      JsonWriter json;
      json.begin_object().key("progress").begin_object();
      json.member("done", counters_->done.load()).member("total", total);
      json.end_object().end_object();
      socket_->send(framed(std::move(json)));
    }
    timer_->arm(ports_.clock.now() + kProgressPause);
  }
  void finish(const std::vector<ports::NamedImage>& images) {
    JsonWriter json;
    json.begin_object().key("images").begin_array();
    for (const ports::NamedImage& image : images) write_image(json, image);
    json.end_array().end_object();
    socket_->send(framed(std::move(json)));
    end();
  }
  void fail(const Error& error) {
    if (socket_) socket_->send(framed(error));
    end();
  }
  void end() {
    timer_->cancel();
    if (const auto socket = std::exchange(socket_, nullptr)) {
      socket->close(ports::WebSocketClose::Normal, {});
    }
  }

  ImageSocketPorts ports_;
  std::shared_ptr<ports::WebSocket> socket_;
  std::optional<api::ImageStreamRequest> request_;
  std::string reference_;
  std::shared_ptr<ports::ScratchFile> file_;
  std::deque<Bytes> pieces_;
  bool input_ended_ = false;
  bool is_busy_ = false;
  std::optional<std::uint64_t> to_read_;
  std::uint64_t read_ = 0;
  std::shared_ptr<Counters> counters_ = std::make_shared<Counters>();
  std::unique_ptr<ports::Timer> timer_;
};

}  // namespace

void open_image_socket(ImageSocketPorts ports, std::unique_ptr<ports::HttpResponder> responder) {
  auto socket = std::make_shared<ImageSocket>(ports);
  if (auto opened = responder->accept_web_socket(kProtocol, socket)) {
    socket->begin(std::move(opened));
  }
}

}  // namespace hm::container_api
