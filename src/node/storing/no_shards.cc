// SPDX-License-Identifier: Apache-2.0
#include "node/storing/no_shards.h"

#include "node/storing/shard_message.h"

namespace hm::storing {

NoShards::NoShards(node::Node& node) : node_(node) { node_.add_observer(*this); }
NoShards::~NoShards() { node_.remove_observer(*this); }

void NoShards::on_storage_message(const identity::NodeId& from, ByteView payload) {
  if (claims_response(payload)) return;
  const auto message = decode_shard_message(payload);
  if (!message) return;
  const Refused refused{ErrorCode::Unsupported, "this node keeps no shards", "ask another node"};
  (void)node_.send_storage_message(from,
                                   encode(Response{std::get<Query>(*message).number, refused}));
}

}  // namespace hm::storing
