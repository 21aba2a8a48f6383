// SPDX-License-Identifier: Apache-2.0
#include "node/hosting/image_fetch.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

namespace hm::hosting {
namespace {

// Of a manifest; the distribution specification asks registries for at least this.
constexpr std::uint64_t kMaxManifest = std::uint64_t{4} << 20;
// Read from the disk at a time.
constexpr std::size_t kReadPiece = std::size_t{1} << 20;

}  // namespace

// Writes what comes into the store, on workers, one piece at a time.
class ImageFetch::Receiver final : public StreamListener,
                                   public std::enable_shared_from_this<Receiver> {
 public:
  Receiver(std::shared_ptr<ImageFetch> fetch, ports::ImageBlob blob,
           std::unique_ptr<ports::BlobWriter> writer)
      : fetch_(std::move(fetch)), blob_(blob), writer_(std::move(writer)) {}

  void set_stream(const std::shared_ptr<Stream>& stream) { stream_ = stream; }
  void stop() { fetch_.reset(); }

  void on_report(const Report& report) override {
    const auto* progress = std::get_if<ProgressReport>(&report);
    if (progress == nullptr || writer_) return;
    // Of a manifest only the other side knows the length.
    blob_.bytes = progress->total;
    if (blob_.bytes > kMaxManifest) return give_up("the manifest is longer than any may be");
    open_writer();
  }
  void on_data(Lane /*lane*/, ByteView bytes) override {
    pieces_.push_back(to_bytes(bytes));
    write();
  }
  void on_closed(const Outcome& outcome) override {
    outcome_ = outcome;
    write();
  }

 private:
  void open_writer() {
    auto opened = std::make_shared<Result<std::unique_ptr<ports::BlobWriter>>>();
    busy_ = true;
    fetch_->ports_.workers.submit([opened, store = &fetch_->ports_.store,
                                   blob = blob_] { *opened = store->write_blob(blob); },
                                  [self = shared_from_this(), opened] {
                                    self->busy_ = false;
                                    if (!*opened) return self->give_up((*opened).error().message);
                                    self->writer_ = std::move(**opened);
                                    self->write();
                                  });
  }

  void write() {
    if (busy_ || !fetch_) return;
    if (pieces_.empty()) {
      if (outcome_) end();
      return;
    }
    if (!writer_) {
      if (outcome_) return give_up("it was sent without its length");
      return;
    }
    Bytes piece = std::move(pieces_.front());
    pieces_.pop_front();
    const std::size_t size = piece.size();
    auto written = std::make_shared<Result<void>>();
    busy_ = true;
    fetch_->ports_.workers.submit([written, writer = writer_.get(),
                                   piece = std::move(piece)] { *written = writer->write(piece); },
                                  [self = shared_from_this(), written, size] {
                                    self->busy_ = false;
                                    if (!*written) return self->give_up((*written).error().message);
                                    if (const auto stream = self->stream_.lock())
                                      stream->take(size);
                                    if (self->fetch_) {
                                      self->fetch_->fetched_ += size;
                                      self->fetch_->progress_(self->fetch_->fetched_,
                                                              self->fetch_->total_);
                                    }
                                    self->write();
                                  });
  }

  void end() {
    if (!std::holds_alternative<Done>(*outcome_) || !writer_) return tell(*outcome_);
    auto committed = std::make_shared<Result<void>>();
    busy_ = true;
    fetch_->ports_.workers.submit(
        [committed, writer = writer_.get()] { *committed = writer->commit(); },
        [self = shared_from_this(), committed] {
          if (*committed) return self->tell(Done{});
          const Error& error = (*committed).error();
          self->tell(Failure{error.code, error.message, error.detail});
        });
  }

  void give_up(const std::string& why) {
    if (const auto stream = stream_.lock()) stream->abandon();
    tell(Failure{ErrorCode::Corrupt, "an image's blob cannot be kept", why});
  }
  void tell(const Outcome& outcome) {
    const auto fetch = std::exchange(fetch_, nullptr);
    writer_.reset();
    if (fetch) fetch->on_fetched(blob_, outcome);
  }

  std::shared_ptr<ImageFetch> fetch_;
  ports::ImageBlob blob_;
  std::unique_ptr<ports::BlobWriter> writer_;
  std::weak_ptr<Stream> stream_;
  std::deque<Bytes> pieces_;  // bounded by the stream's window
  bool busy_ = false;
  std::optional<Outcome> outcome_;
};

ImageFetch::ImageFetch(ImagePorts ports, const crypto::Digest& manifest,
                       std::vector<identity::NodeId> sources, Progress progress, Finished done)
    : ports_(ports),
      manifest_(manifest),
      sources_(std::move(sources)),
      progress_(std::move(progress)),
      done_(std::move(done)) {}

std::shared_ptr<ImageFetch> ImageFetch::start(ImagePorts ports, const crypto::Digest& manifest,
                                              std::vector<identity::NodeId> sources,
                                              Progress progress, Finished done) {
  auto fetch = std::make_shared<ImageFetch>(ports, manifest, std::move(sources),
                                            std::move(progress), std::move(done));
  fetch->look();
  return fetch;
}

void ImageFetch::cancel() {
  done_ = nullptr;
  if (receiver_) std::exchange(receiver_, nullptr)->stop();
  if (stream_) std::exchange(stream_, nullptr)->abandon();
}

// What is not here yet: first the manifest, then what it names.
void ImageFetch::look() {
  auto found = std::make_shared<Result<std::vector<ports::ImageBlob>>>();
  ports_.workers.submit(
      [found, store = &ports_.store, manifest = manifest_] {
        auto blobs = store->blobs_of(manifest);
        if (blobs) {
          std::erase_if(*blobs,
                        [&](const auto& b) { return store->blob_size(b.digest).has_value(); });
        }
        *found = std::move(blobs);
      },
      [self = shared_from_this(), found] { self->on_looked(std::move(*found)); });
}

void ImageFetch::on_looked(Result<std::vector<ports::ImageBlob>> missing) {
  if (!done_) return;
  if (!missing && (missing.error().code != ErrorCode::NotFound || has_manifest_)) {
    return finish(std::unexpected(missing.error()));
  }
  if (!missing) {
    missing_ = {ports::ImageBlob{manifest_, 0}};
  } else {
    has_manifest_ = true;
    missing_ = std::move(*missing);
    total_ = fetched_;
    for (const ports::ImageBlob& blob : missing_) {
      if (blob.bytes > kMaxImageBytes || total_ > kMaxImageBytes) {
        return finish(fail(ErrorCode::NoCapacity,
                           "the image is larger than one run may have shipped",
                           "use a smaller image"));
      }
      total_ += blob.bytes;
    }
  }
  fetch_next();
}

void ImageFetch::fetch_next() {
  if (!missing_.empty()) return ask(missing_.back());
  if (!has_manifest_) {
    has_manifest_ = true;
    return look();
  }
  unpack();
}

void ImageFetch::ask(const ports::ImageBlob& blob) {
  while (source_ < sources_.size() && !ports_.mux.is_reachable(sources_[source_])) ++source_;
  if (source_ >= sources_.size()) {
    return finish(fail(ErrorCode::NotFound, "no connected node has the image",
                       "import it on the node that asks for the run: hypermesh image import FILE"));
  }
  const auto request = [self = shared_from_this()](const ports::ImageBlob& wanted,
                                                   std::unique_ptr<ports::BlobWriter> writer) {
    const std::uint64_t offset = writer ? writer->offset() : 0;
    self->fetched_ += offset;
    self->receiver_ = std::make_shared<Receiver>(self, wanted, std::move(writer));
    self->stream_ = self->ports_.mux.open(self->sources_[self->source_],
                                          FetchBlob{wanted.digest, offset}, self->receiver_);
    if (self->stream_) return self->receiver_->set_stream(self->stream_);
    self->receiver_->stop();
    self->on_fetched(wanted, Failure{ErrorCode::Busy, "too many images are on their way", {}});
  };
  if (!has_manifest_) return request(blob, nullptr);
  auto opened = std::make_shared<Result<std::unique_ptr<ports::BlobWriter>>>();
  ports_.workers.submit(
      [opened, store = &ports_.store, blob] { *opened = store->write_blob(blob); },
      [self = shared_from_this(), opened, blob, request] {
        if (!self->done_) return;
        if (*opened) return request(blob, std::move(**opened));
        // Another fetch brought it meanwhile.
        if ((*opened).error().code == ErrorCode::AlreadyExists)
          return self->on_fetched(blob, Done{});
        self->finish(std::unexpected((*opened).error()));
      });
}

void ImageFetch::on_fetched(const ports::ImageBlob& blob, const Outcome& outcome) {
  receiver_.reset();
  stream_.reset();
  if (!done_) return;
  if (!std::holds_alternative<Done>(outcome)) {
    // The next source goes on where this one stopped.
    ++source_;
    return ask(blob);
  }
  missing_.pop_back();
  fetch_next();
}

void ImageFetch::unpack() {
  auto image = std::make_shared<Result<ports::UnpackedImage>>();
  ports_.workers.submit(
      [image, store = &ports_.store, manifest = manifest_] {
        *image = store->unpack(manifest, [](std::uint64_t, std::uint64_t) {});
      },
      [self = shared_from_this(), image] { self->finish(std::move(*image)); });
}

void ImageFetch::finish(Result<ports::UnpackedImage> result) {
  if (const auto done = std::exchange(done_, nullptr)) done(std::move(result));
}

namespace {

class BlobServer final : public StreamListener, public std::enable_shared_from_this<BlobServer> {
 public:
  BlobServer(ImagePorts ports, const FetchBlob& request, std::shared_ptr<Stream> stream)
      : ports_(ports), digest_(request.digest), at_(request.offset), stream_(std::move(stream)) {}

  void begin() {
    auto size = std::make_shared<std::optional<std::uint64_t>>();
    ports_.workers.submit(
        [size, store = &ports_.store, digest = digest_] { *size = store->blob_size(digest); },
        [self = shared_from_this(), size] { self->on_size(*size); });
  }
  void on_room() override { read(); }
  void on_closed(const Outcome& /*outcome*/) override { stream_.reset(); }

 private:
  void on_size(std::optional<std::uint64_t> size) {
    if (!stream_) return;
    if (!size || at_ > *size) {
      return end(Failure{ErrorCode::NotFound, "this node does not have the blob", {}});
    }
    size_ = *size;
    stream_->report(ProgressReport{RunPhase::Fetching, at_, *size_});
    read();
  }
  void read() {
    if (busy_ || !stream_ || !size_) return;
    if (at_ == *size_) return end(Done{});
    const std::size_t most = std::min(kReadPiece, stream_->room());
    if (most == 0) return;
    auto piece = std::make_shared<Result<Bytes>>();
    busy_ = true;
    ports_.workers.submit(
        [piece, store = &ports_.store, digest = digest_, at = at_, most] {
          *piece = store->read_blob(digest, at, most);
        },
        [self = shared_from_this(), piece] {
          self->busy_ = false;
          if (!self->stream_) return;
          if (!*piece || (*piece)->empty()) {
            return self->end(Failure{ErrorCode::Io, "the blob cannot be read", {}});
          }
          self->at_ += (*piece)->size();
          self->stream_->send(Lane::Main, **piece);
          self->read();
        });
  }
  void end(const Outcome& outcome) {
    if (const auto stream = std::exchange(stream_, nullptr)) stream->close(outcome);
  }

  ImagePorts ports_;
  crypto::Digest digest_;
  std::uint64_t at_;
  std::optional<std::uint64_t> size_;
  std::shared_ptr<Stream> stream_;
  bool busy_ = false;
};

}  // namespace

void serve_blob(ImagePorts ports, const FetchBlob& request, std::shared_ptr<Stream> stream) {
  auto server = std::make_shared<BlobServer>(ports, request, stream);
  stream->set_listener(server);
  server->begin();
}

}  // namespace hm::hosting
