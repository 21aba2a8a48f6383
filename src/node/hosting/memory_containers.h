// SPDX-License-Identifier: Apache-2.0
// A machine's image store and containers in memory. A container's arguments are its program:
//   echo        gives back what it reads, and ends with 0 when its input ends
//   print N     writes N bytes, as they are allowed, and ends with 0
//   say TEXT    writes the text, or the machine's lie instead, and ends with 0
//   exit CODE   ends at once
//   sleep       runs until it is signalled: 128 + number
//   serve       the same, and answers on every port as the machine has it
// For tests.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "foundation/base/check.h"
#include "node/memory_world.h"
#include "ports/container_runtime.h"
#include "ports/image_store.h"

namespace hm::hosting::memory {

// Images whose manifest is the list of their blobs' digests, 32 bytes each.
class MemoryImages final : public ports::ImageStore {
 public:
  static Bytes blob(std::uint8_t seed, std::size_t size) { return Bytes(size, seed); }
  // The manifest's digest.
  crypto::Digest add(const std::vector<Bytes>& blobs) {
    Bytes manifest;
    for (const Bytes& bytes : blobs) {
      const crypto::Digest digest = crypto::sha256(bytes);
      blobs_[digest] = bytes;
      manifest.insert(manifest.end(), digest.bytes.begin(), digest.bytes.end());
    }
    const crypto::Digest digest = crypto::sha256(manifest);
    blobs_[digest] = manifest;
    return digest;
  }
  void remove(const crypto::Digest& digest) { blobs_.erase(digest); }
  // Sends other bytes than it should.
  void spoil(const crypto::Digest& digest) { blobs_.at(digest).back() ^= 1; }
  bool has(const crypto::Digest& digest) const { return blobs_.contains(digest); }
  std::uint64_t bytes_written = 0;

  Result<std::vector<ports::ImageBlob>> blobs_of(const crypto::Digest& manifest) override {
    const auto found = blobs_.find(manifest);
    if (found == blobs_.end()) return fail(ErrorCode::NotFound, "no such manifest", {});
    std::vector<ports::ImageBlob> all;
    for (std::size_t at = 0; at + 32 <= found->second.size(); at += 32) {
      crypto::Digest digest;
      std::copy_n(found->second.begin() + static_cast<std::ptrdiff_t>(at), 32,
                  digest.bytes.begin());
      all.push_back({digest, sizes_.contains(digest) ? sizes_.at(digest) : kBlobSize});
    }
    return all;
  }
  std::optional<std::uint64_t> blob_size(const crypto::Digest& digest) override {
    const auto found = blobs_.find(digest);
    if (found == blobs_.end()) return std::nullopt;
    return found->second.size();
  }
  Result<Bytes> read_blob(const crypto::Digest& digest, std::uint64_t offset,
                          std::size_t most) override {
    const Bytes& all = blobs_.at(digest);
    const std::size_t end = std::min(all.size(), static_cast<std::size_t>(offset) + most);
    return Bytes(all.begin() + static_cast<std::ptrdiff_t>(offset),
                 all.begin() + static_cast<std::ptrdiff_t>(end));
  }
  Result<std::unique_ptr<ports::BlobWriter>> write_blob(const ports::ImageBlob& blob) override {
    if (blobs_.contains(blob.digest)) return fail(ErrorCode::AlreadyExists, "it is there", {});
    return std::make_unique<Writer>(*this, blob);
  }
  Result<ports::UnpackedImage> unpack(const crypto::Digest& manifest,
                                      const ports::ImageProgress& /*progress*/) override {
    HM_TRY(const auto blobs, blobs_of(manifest));
    for (const ports::ImageBlob& blob : blobs) {
      if (!blobs_.contains(blob.digest)) return fail(ErrorCode::NotFound, "a layer is missing", {});
    }
    return ports::UnpackedImage{};
  }

  Result<std::vector<ports::NamedImage>> import_file(const std::string&, const std::string&,
                                                     const ports::ImageProgress&) override {
    return fail(ErrorCode::Unsupported, "not in memory", {});
  }
  Result<void> export_file(const crypto::Digest&, const std::string&, const std::string&) override {
    return fail(ErrorCode::Unsupported, "not in memory", {});
  }
  std::vector<ports::NamedImage> names() override { return {}; }
  Result<ports::NamedImage> find(const std::string&) override {
    return fail(ErrorCode::NotFound, "no names in memory", {});
  }
  Result<void> set_name(const std::string&, const crypto::Digest&) override { return {}; }
  Result<void> remove_name(const std::string&) override { return {}; }
  Result<std::uint64_t> collect() override { return 0; }

  static constexpr std::uint64_t kBlobSize = 300'000;

 private:
  struct Writer final : ports::BlobWriter {
    Writer(MemoryImages& owner, const ports::ImageBlob& to) : images(owner), blob(to) {}
    std::uint64_t offset() const override { return images.incoming_[blob.digest].size(); }
    Result<void> write(ByteView bytes) override {
      Bytes& all = images.incoming_[blob.digest];
      all.insert(all.end(), bytes.begin(), bytes.end());
      images.bytes_written += bytes.size();
      return {};
    }
    Result<void> commit() override {
      Bytes all = std::exchange(images.incoming_[blob.digest], {});
      if (crypto::sha256(all) != blob.digest) return fail(ErrorCode::Corrupt, "wrong digest", {});
      images.blobs_[blob.digest] = std::move(all);
      return {};
    }
    MemoryImages& images;
    ports::ImageBlob blob;
  };

  std::map<crypto::Digest, Bytes> blobs_;
  std::map<crypto::Digest, Bytes> incoming_;
  std::map<crypto::Digest, std::uint64_t> sizes_;
};

class MemoryRuntime final : public ports::ContainerRuntime {
 public:
  explicit MemoryRuntime(node::memory::World& world) : world_(world) {
    facts_.runtime = "memory";
    facts_.missing = {"everything is in memory"};
  }

  bool has(const std::string& id) const { return containers_.contains(id); }
  std::size_t count() const { return containers_.size(); }
  std::uint32_t starts(const std::string& id) const { return containers_.at(id).starts; }
  ports::ContainerUsage usage_of_all;
  std::string lie;  // what `say` says here
  // What `serve` does here, and how every command in a container ends.
  enum class Port { Answers, Dead, Mute };
  Port port = Port::Answers;
  std::string answer = "HTTP/1.1 200 OK\r\n\r\n";
  std::uint8_t exec_code = 0;

  const ports::RuntimeFacts& facts() const override { return facts_; }
  Result<void> check(const containers::RunSpec& /*spec*/) const override { return {}; }
  std::vector<ports::ExistingContainer> existing() const override {
    std::vector<ports::ExistingContainer> all;
    for (const auto& [id, c] : containers_) {
      const auto state = c.exit ? ports::ContainerState::Exited : ports::ContainerState::Running;
      all.push_back({.order = c.order, .state = state, .exit = c.exit, .restarts = c.starts - 1});
    }
    return all;
  }
  void start(ports::ContainerOrder order, ports::UnpackedImage /*image*/,
             ports::ContainerStreamListener* listener,
             std::function<void(ports::StreamResult)> done) override {
    world_.later([this, order = std::move(order), listener, done = std::move(done)] {
      Container& c = containers_[order.id];
      c.order = order;
      c.listener = listener;
      c.starts = 1;
      done(std::make_unique<Mouth>(*this, order.id));
      run(order.id);
    });
  }
  void restart(const std::string& id, std::function<void(Result<void>)> done) override {
    world_.later([this, id, done = std::move(done)] {
      if (!containers_.contains(id)) return done(fail(ErrorCode::NotFound, "gone", {}));
      Container& c = containers_.at(id);
      c.exit.reset();
      ++c.starts;
      done({});
      run(id);
    });
  }
  void attach(const std::string& id, ports::ContainerStreamListener& listener,
              std::function<void(ports::StreamResult)> done) override {
    world_.later([this, id, to = &listener, done = std::move(done)] {
      containers_.at(id).listener = to;
      containers_.at(id).allowed = 0;
      done(std::make_unique<Mouth>(*this, id));
    });
  }
  void exec(const std::string&, const containers::ProcessSpec&,
            ports::ContainerStreamListener& listener,
            std::function<void(ports::StreamResult)> done) override {
    world_.later([this, to = &listener, done = std::move(done)] {
      done(std::make_unique<Wire>(*this, *to));
      to->on_end(ports::ProcessExit{.code = exec_code, .at = world_.wall()});
    });
  }
  void copy(const std::string&, ports::CopyDirection, const std::string&,
            ports::ContainerStreamListener&,
            std::function<void(ports::StreamResult)> done) override {
    refuse(std::move(done));
  }
  void connect(const std::string& id, std::uint16_t, ports::ContainerStreamListener& listener,
               std::function<void(ports::StreamResult)> done) override {
    world_.later([this, id, to = &listener, done = std::move(done)] {
      const auto found = containers_.find(id);
      const bool is_served = found != containers_.end() && !found->second.exit &&
                             found->second.order.spec.process.arguments[0] == "serve";
      if (!is_served || port == Port::Dead) {
        return done(fail(ErrorCode::Unavailable, "nothing listens on the port", {}));
      }
      done(std::make_unique<Wire>(*this, *to));
    });
  }
  void logs(const std::string&, std::size_t, Follow, ports::ContainerStreamListener&,
            std::function<void(ports::StreamResult)> done) override {
    refuse(std::move(done));
  }
  void signal(const std::string& id, int number, std::function<void(Result<void>)> done) override {
    world_.later([this, id, number, done = std::move(done)] {
      if (containers_.contains(id)) {
        signalled(id, number == 0 ? 15 : number);
      }
      done({});
    });
  }
  void kill(const std::string& id, std::function<void(Result<void>)> done) override {
    signal(id, 9, std::move(done));
  }
  void usage(const std::string& id,
             std::function<void(Result<ports::ContainerUsage>)> done) override {
    world_.later([this, id, done = std::move(done)] {
      if (!containers_.contains(id)) return done(fail(ErrorCode::NotFound, "gone", {}));
      done(usage_of_all);
    });
  }
  void remove(const std::string& id, std::function<void(Result<void>)> done) override {
    world_.later([this, id, done = std::move(done)] {
      containers_.erase(id);
      done({});
    });
  }
  void on_exit(
      std::function<void(const std::string&, const ports::ProcessExit&)> handler) override {
    on_exit_ = std::move(handler);
  }

 private:
  struct Container {
    ports::ContainerOrder order;
    ports::ContainerStreamListener* listener = nullptr;
    std::optional<ports::ProcessExit> exit;
    std::uint32_t starts = 0;
    std::size_t allowed = 0;
    std::size_t to_print = 0;
    std::string text;
    Bytes echo;
    bool input_ended = false;
  };

  class Mouth final : public ports::ContainerStream {
   public:
    Mouth(MemoryRuntime& runtime, std::string id) : runtime_(runtime), id_(std::move(id)) {}
    ~Mouth() override {
      if (auto* c = container()) c->listener = nullptr;
    }
    void write(Bytes bytes) override {
      if (auto* c = container()) c->echo.insert(c->echo.end(), bytes.begin(), bytes.end());
      runtime_.pump_later(id_);
    }
    void close_input() override {
      if (auto* c = container()) c->input_ended = true;
      runtime_.pump_later(id_);
    }
    void allow(std::size_t bytes) override {
      if (auto* c = container()) c->allowed += bytes;
      runtime_.pump_later(id_);
    }
    void signal(int number) override { runtime_.signalled(id_, number); }
    void resize(std::uint16_t, std::uint16_t) override {}

   private:
    Container* container() {
      const auto found = runtime_.containers_.find(id_);
      return found == runtime_.containers_.end() ? nullptr : &found->second;
    }
    MemoryRuntime& runtime_;
    std::string id_;
  };

  // One connection to a port, or one command.
  class Wire final : public ports::ContainerStream {
   public:
    Wire(MemoryRuntime& runtime, ports::ContainerStreamListener& listener)
        : runtime_(runtime), listener_(listener) {}
    ~Wire() override { *alive_ = false; }
    void write(Bytes /*bytes*/) override {
      runtime_.world_.later([this, alive = alive_] {
        if (!*alive || runtime_.port != Port::Answers) return;
        listener_.on_output(ports::ContainerStreamListener::Lane::Out, as_bytes(runtime_.answer));
      });
    }
    void close_input() override {}
    void allow(std::size_t /*bytes*/) override {}
    void signal(int /*number*/) override {}
    void resize(std::uint16_t, std::uint16_t) override {}

   private:
    MemoryRuntime& runtime_;
    ports::ContainerStreamListener& listener_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  };

  void refuse(std::function<void(ports::StreamResult)> done) {
    world_.later([done = std::move(done)] { done(fail(ErrorCode::Unsupported, "in memory", {})); });
  }
  void run(const std::string& id) {
    Container& c = containers_.at(id);
    const auto& words = c.order.spec.process.arguments;
    if (words[0] == "exit") return end(id, static_cast<std::uint8_t>(std::stoi(words[1])));
    if (words[0] == "say") c.text = lie.empty() ? words[1] : lie;
    if (words[0] == "print") c.to_print = static_cast<std::size_t>(std::stoull(words[1]));
    pump_later(id);
  }
  void pump_later(const std::string& id) {
    world_.later([this, id] {
      if (containers_.contains(id)) pump(id);
    });
  }
  void pump(const std::string& id) {
    Container& c = containers_.at(id);
    if (c.exit || c.listener == nullptr) return;
    const auto lane = ports::ContainerStreamListener::Lane::Out;
    const std::string& program = c.order.spec.process.arguments[0];
    if (program == "print") {
      const std::size_t now = std::min(c.to_print, c.allowed);
      c.allowed -= now;
      c.to_print -= now;
      if (now > 0) c.listener->on_output(lane, Bytes(now, 'x'));
      if (c.to_print == 0) end(id, 0);
    } else if (program == "say" && !c.text.empty() && c.allowed >= c.text.size()) {
      const std::string text = std::exchange(c.text, {});
      c.listener->on_output(lane, as_bytes(text));
      end(id, 0);
    } else if (program == "echo") {
      const std::size_t now = std::min(c.echo.size(), c.allowed);
      const Bytes out(c.echo.begin(), c.echo.begin() + static_cast<std::ptrdiff_t>(now));
      c.echo.erase(c.echo.begin(), c.echo.begin() + static_cast<std::ptrdiff_t>(now));
      c.allowed -= now;
      if (now > 0) {
        c.listener->on_output(lane, out);
        c.listener->on_taken(now);
      }
      if (c.input_ended && c.echo.empty()) end(id, 0);
    }
  }
  void signalled(const std::string& id, int number) {
    if (!containers_.contains(id) || containers_.at(id).exit) return;
    end(id, static_cast<std::uint8_t>(128 + number));
  }
  void end(const std::string& id, std::uint8_t code) {
    world_.later([this, id, code] {
      const auto found = containers_.find(id);
      if (found == containers_.end() || found->second.exit) return;
      found->second.exit = ports::ProcessExit{.code = code, .at = world_.wall()};
      if (auto* listener = std::exchange(found->second.listener, nullptr)) {
        listener->on_end(*found->second.exit);
      }
      if (on_exit_) on_exit_(id, *found->second.exit);
    });
  }

  node::memory::World& world_;
  ports::RuntimeFacts facts_;
  std::map<std::string, Container> containers_;
  std::function<void(const std::string&, const ports::ProcessExit&)> on_exit_;
};

}  // namespace hm::hosting::memory
