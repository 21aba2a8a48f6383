// SPDX-License-Identifier: Apache-2.0
// A connection while a handler takes the body of its request piece by piece.
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <utility>

#include "platform/http/connection.h"

namespace hm::http {
namespace asio = boost::asio;
using boost::system::error_code;
using ports::HttpFault;

bool Connection::take_body(std::uint64_t ticket, std::shared_ptr<ports::HttpUpload> upload) {
  if (phase_ != Phase::Answering || ticket != ticket_) return false;
  if (core_->counters().open_uploads >= core_->config().max_uploads) {
    respond_fault(ticket, HttpFault::TooManyUploads);
    return false;
  }
  ++core_->counters().open_uploads;
  upload_.listener = std::move(upload);
  upload_.window = UploadWindow(core_->config().upload_window);
  enter(Phase::Taking, core_->config().stall_time);
  asio::post(socket_.get_executor(), [self = shared_from_this(), ticket] {
    if (self->phase_ == Phase::Taking && self->ticket_ == ticket) self->begin_body();
  });
  return true;
}

void Connection::begin_body() {
  if (upload_.is_whole) return hand_over({});
  if (upload_.is_waiting && buffer_.size() == 0) return ask_for_body();
  if (!upload_.left && buffer_.size() > 0) return decode_body();
  read_body();
}

void Connection::ask_for_body() {
  upload_.is_asking = true;
  asio::async_write(socket_, asio::buffer(kAskForBody),
                    [self = shared_from_this()](const error_code& error, std::size_t) {
                      self->upload_.is_asking = false;
                      if (self->phase_ != Phase::Taking) return;
                      if (error) return self->close();
                      self->read_body();
                    });
}

// The listener, which hears nothing more from here; null if there is none.
std::shared_ptr<ports::HttpUpload> Connection::end_upload() {
  if (!upload_.listener) return nullptr;
  --core_->counters().open_uploads;
  // A pending read must let go of the buffers before they are used for anything else.
  error_code ignored;
  if (upload_.is_reading) socket_.cancel(ignored);
  return std::exchange(upload_.listener, nullptr);
}

void Connection::lose_upload(HttpFault fault) {
  ++core_->counters().lost_uploads;
  const auto upload = end_upload();
  refuse(fault);
  upload->on_lost();
}

void Connection::body_taken(std::uint64_t ticket, std::size_t bytes) {
  if (phase_ != Phase::Taking || ticket != ticket_) return;
  upload_.window.take(bytes);
  if (upload_.is_starved) read_body();
}

void Connection::read_body() {
  const std::size_t room = upload_.window.room();
  const bool was_starved = std::exchange(upload_.is_starved, room == 0);
  // Whose turn it is has some time: the client to send, or the handler to be done with something.
  if (upload_.is_starved && !was_starved) deadline_ = Clock::now() + core_->config().answer_time;
  if (!upload_.is_starved && was_starved) deadline_ = Clock::now() + core_->config().stall_time;
  if (upload_.is_starved) return;
  upload_.is_reading = true;
  if (upload_.left) {
    read_counted(room);
  } else {
    read_chunked(room);
  }
}

// Into the piece itself, which so is not copied.
void Connection::read_counted(std::size_t room) {
  const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(room, *upload_.left));
  if (buffer_.size() > 0) {
    // Came with the head. Posted: the handler may be on the stack.
    asio::post(socket_.get_executor(), [self = shared_from_this(), most] {
      self->upload_.is_reading = false;
      if (self->phase_ != Phase::Taking) return;
      const std::size_t count = std::min(most, self->buffer_.size());
      std::string piece(static_cast<const char*>(self->buffer_.data().data()), count);
      self->buffer_.consume(count);
      *self->upload_.left -= count;
      self->hand_over(std::move(piece));
    });
    return;
  }
  std::string& piece = upload_.piece;
  // What a short read left is used again.
  if (piece.size() < most) piece.resize_and_overwrite(most, [](char*, std::size_t n) { return n; });
  socket_.async_read_some(asio::buffer(piece.data(), most),
                          [self = shared_from_this()](const error_code& error, std::size_t count) {
                            self->upload_.is_reading = false;
                            if (self->phase_ != Phase::Taking) return;
                            if (error) return self->close();
                            *self->upload_.left -= count;
                            std::string& read = self->upload_.piece;
                            if (count < read.capacity() / 2)
                              return self->hand_over(std::string(read.data(), count));
                            read.resize(count);
                            self->hand_over(std::exchange(read, {}));
                          });
}

void Connection::read_chunked(std::size_t room) {
  socket_.async_read_some(buffer_.prepare(room),
                          [self = shared_from_this()](const error_code& error, std::size_t count) {
                            self->upload_.is_reading = false;
                            if (self->phase_ != Phase::Taking) return;
                            if (error) return self->close();
                            self->buffer_.commit(count);
                            self->decode_body();
                          });
}

void Connection::decode_body() {
  parser_->eager(true);
  parser_->get().body().reserve(buffer_.size());
  error_code error;
  while (buffer_.size() > 0 && !parser_->is_done() && !error) {
    buffer_.consume(parser_->put(buffer_.data(), error));
  }
  if (error && error != boost::beast::http::error::need_more) {
    ++core_->counters().malformed;
    return lose_upload(HttpFault::Malformed);
  }
  // What is decoded leaves the buffer; only an element without an end stays in it.
  if (error && buffer_.size() > core_->config().max_header_bytes) {
    ++core_->counters().oversized_headers;
    return lose_upload(HttpFault::HeadersTooLarge);
  }
  hand_over(std::exchange(parser_->get().body(), {}));
}

// Goes on with the body, or to the answer behind its end.
void Connection::hand_over(std::string piece) {
  const std::uint64_t ticket = ticket_;
  if (!piece.empty()) {
    deadline_ = Clock::now() + core_->config().stall_time;
    upload_.window.give(piece.size());
    // What a piece holds of memory is what it counts for in the window.
    if (piece.size() < piece.capacity() / 2) piece = std::string(std::string_view(piece));
    const auto upload = upload_.listener;
    upload->on_piece(std::move(piece));
    if (phase_ != Phase::Taking || ticket != ticket_) return;
  }
  const bool is_whole = upload_.left ? *upload_.left == 0 : !parser_ || parser_->is_done();
  if (!is_whole) {
    if (!upload_.is_reading) read_body();
    return;
  }
  upload_.is_whole = true;
  upload_.piece = {};
  parser_.reset();
  buffer_.shrink_to_fit();
  enter(Phase::Answering, core_->config().answer_time);
  if (const auto upload = end_upload()) upload->on_end();
}

}  // namespace hm::http
