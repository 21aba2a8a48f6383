// SPDX-License-Identifier: Apache-2.0
#include "apps/hypermesh/port_forward.h"

#include <fmt/format.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <set>
#include <utility>

namespace hm::cli {

namespace asio = boost::asio;
using boost::system::error_code;
using nlohmann::ordered_json;
using tcp = asio::ip::tcp;

namespace {

constexpr std::size_t kRead = std::size_t{32} << 10;

// One connection of somebody here, and its stream.
class Carried : public std::enable_shared_from_this<Carried> {
 public:
  Carried(tcp::socket socket, std::function<void(const Carried*, const std::string&)> on_end)
      : socket_(std::move(socket)), on_end_(std::move(on_end)) {}

  void start(asio::io_context& loop, const StreamDoor& door, const std::string& run,
             std::uint16_t port) {
    StreamHandlers handlers;
    const auto with = [weak = weak_from_this()](auto&& act) {
      if (const auto self = weak.lock()) act(*self);
    };
    handlers.on_bytes = [with](StreamLane, std::string_view bytes) {
      with([&](Carried& self) { self.write(std::string(bytes)); });
    };
    handlers.on_drained = [with] { with([](Carried& self) { self.read(); }); };
    handlers.on_end = [with](const Answer<ordered_json>& last) {
      with([&](Carried& self) { self.stream_ended(last); });
    };
    const ordered_json first = {{"connect", {{"run", run}, {"port", port}}}};
    stream_ = ApiStream::open(loop, door, "/containers/stream", first, std::move(handlers));
    read();
  }

  void stop() {
    error_code ignored;
    socket_.close(ignored);
    stream_.reset();
  }

 private:
  void read() {
    if (reading_ || input_ended_ || !stream_ || stream_->pending() > ApiStream::kHighWater) return;
    reading_ = true;
    socket_.async_read_some(asio::buffer(buffer_), [self = shared_from_this()](
                                                       const error_code& error, std::size_t count) {
      self->reading_ = false;
      if (!self->stream_) return;
      if (error) {
        self->input_ended_ = true;
        return self->stream_->send_word({{"end_of_input", true}});
      }
      self->stream_->send_bytes({self->buffer_.data(), count});
      self->read();
    });
  }

  void write(std::string bytes) {
    queue_.push_back(std::move(bytes));
    if (queue_.size() == 1) write_first();
  }

  void write_first() {
    asio::async_write(socket_, asio::buffer(queue_.front()),
                      [self = shared_from_this()](const error_code& error, std::size_t count) {
                        self->queue_.pop_front();
                        if (error) return self->finish({});
                        if (self->stream_) self->stream_->allow(count);
                        if (!self->queue_.empty()) return self->write_first();
                        if (self->ended_) self->finish({});
                      });
  }

  void stream_ended(const Answer<ordered_json>& last) {
    ended_ = true;
    if (!last) return finish(last.error().what);
    if (queue_.empty()) finish({});
  }

  void finish(const std::string& trouble) {
    const auto held = shared_from_this();
    stop();
    if (const auto end = std::exchange(on_end_, nullptr)) end(this, trouble);
  }

  tcp::socket socket_;
  std::function<void(const Carried*, const std::string&)> on_end_;
  std::shared_ptr<ApiStream> stream_;
  std::array<char, kRead> buffer_{};
  std::deque<std::string> queue_;
  bool reading_ = false;
  bool input_ended_ = false;
  bool ended_ = false;
};

}  // namespace

class PortForward::Shared : public std::enable_shared_from_this<Shared> {
 public:
  Shared(asio::io_context& loop, StreamDoor door, std::function<void(const std::string&)> trouble)
      : loop_(loop), door_(std::move(door)), on_trouble_(std::move(trouble)) {}

  Answer<PortWord> listen(const PortWord& port) {
    error_code error;
    const tcp::endpoint wanted(asio::ip::make_address(port.address, error), port.local);
    auto door = std::make_unique<Door>(tcp::acceptor(loop_), port);
    if (!error) door->acceptor.open(wanted.protocol(), error);
    if (!error) door->acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) door->acceptor.bind(wanted, error);
    if (!error) door->acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      return failed(error == asio::error::access_denied ? ExitCode::Denied : ExitCode::Failure,
                    fmt::format("cannot listen on {}", listen_words(port)), error.message(),
                    "choose another port; 0 takes a free one");
    }
    door->port.local = door->acceptor.local_endpoint().port();
    doors_.push_back(std::move(door));
    return doors_.back()->port;
  }

  void run_is(const std::string& run) {
    run_ = run;
    for (const auto& door : doors_) accept(*door);
  }

  void stop() {
    for (const auto& door : doors_) {
      error_code ignored;
      door->acceptor.close(ignored);
    }
    for (const auto& carried : carried_) carried->stop();
    carried_.clear();
    is_stopped_ = true;
  }

 private:
  struct Door {
    Door(tcp::acceptor taken, PortWord word) : acceptor(std::move(taken)), port(std::move(word)) {}
    tcp::acceptor acceptor;
    PortWord port;
    bool is_accepting = false;
  };

  void accept(Door& door) {
    if (is_stopped_ || door.is_accepting || carried_.size() >= kMaxForwarded) return;
    door.is_accepting = true;
    door.acceptor.async_accept(
        [self = shared_from_this(), &door](const error_code& error, tcp::socket socket) {
          door.is_accepting = false;
          if (self->is_stopped_ || error == asio::error::operation_aborted) return;
          if (!error) self->carry(std::move(socket), door.port.container);
          self->accept(door);
        });
  }

  void carry(tcp::socket socket, std::uint16_t port) {
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    auto carried = std::make_shared<Carried>(
        std::move(socket),
        [weak = weak_from_this()](const Carried* ended, const std::string& trouble) {
          if (const auto self = weak.lock()) self->ended(ended, trouble);
        });
    carried_.insert(carried);
    carried->start(loop_, door_, run_, port);
  }

  void ended(const Carried* which, const std::string& trouble) {
    std::erase_if(carried_, [which](const auto& carried) { return carried.get() == which; });
    if (!trouble.empty()) on_trouble_(trouble);
    for (const auto& door : doors_) accept(*door);
  }

  asio::io_context& loop_;
  StreamDoor door_;
  std::function<void(const std::string&)> on_trouble_;
  std::string run_;
  std::vector<std::unique_ptr<Door>> doors_;
  std::set<std::shared_ptr<Carried>> carried_;
  bool is_stopped_ = false;
};

PortForward::PortForward(asio::io_context& loop, StreamDoor door,
                         std::function<void(const std::string&)> on_trouble)
    : shared_(std::make_shared<Shared>(loop, std::move(door), std::move(on_trouble))) {}

PortForward::~PortForward() { shared_->stop(); }

Answer<PortWord> PortForward::listen(const PortWord& port) { return shared_->listen(port); }

void PortForward::run_is(const std::string& run) { shared_->run_is(run); }

}  // namespace hm::cli
