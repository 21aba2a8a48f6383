// SPDX-License-Identifier: Apache-2.0
#include "platform/container_runtime/copy_task.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <system_error>
#include <utility>

#include "platform/container_runtime/preparation.h"
#include "platform/container_runtime/tar_copy.h"

namespace hm::container_runtime {

Result<CopyEnds> open_copy(const Host& host, const Record& record, ports::CopyDirection direction,
                           const std::string& path) {
  // Looking for it would mount what a removal has just taken down.
  HM_TRY_VOID(host.state.read_order(record.order.id));
  HM_TRY(const OuterPlace place, find_outside(host, record, path));
  if (direction == ports::CopyDirection::Into && place.access == containers::Access::ReadOnly) {
    return fail(ErrorCode::FailedPrecondition, path + " is read-only in the container");
  }
  CopyEnds ends;
  ends.path = place.path;
  ends.root = Descriptor(::open(place.root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  std::array<int, 2> sockets{-1, -1};
  if (!ends.root || ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
    return fail(ErrorCode::Io, "cannot open " + place.root, std::generic_category().message(errno));
  }
  ends.ours = Descriptor(sockets[0]);
  ends.theirs = Descriptor(sockets[1]);
  return ends;
}

CopyTask::CopyTask(boost::asio::io_context& context, CopyEnds ends, ports::CopyDirection direction,
                   std::uint32_t uid_shift, ports::ContainerStreamListener& listener,
                   std::function<void(CopyTask*)> over)
    : stream_(DescriptorStream::open(context, std::move(ends.ours),
                                     DescriptorStream::EndsBy::Result, listener)),
      socket_(std::make_shared<Descriptor>(std::move(ends.theirs))) {
  auto root = std::make_shared<Descriptor>(std::move(ends.root));
  thread_ = std::thread([this, &context, direction, uid_shift, root, path = std::move(ends.path),
                         socket = socket_, stream = stream_, over = std::move(over)] {
    const TarPlace place{
        .root = root->get(), .path = path, .uid_shift = uid_shift, .ids = containers::kMappedIds};
    auto result = direction == ports::CopyDirection::OutOf ? pack_files(socket->get(), place)
                                                           : unpack_files(socket->get(), place);
    ::shutdown(socket->get(), SHUT_RDWR);
    boost::asio::post(context, [this, stream, over, result = std::move(result)]() mutable {
      stream->set_result(std::move(result));
      over(this);
    });
  });
}

CopyTask::~CopyTask() {
  cancel();
  thread_.join();
}

void CopyTask::cancel() { ::shutdown(socket_->get(), SHUT_RDWR); }

}  // namespace hm::container_runtime
