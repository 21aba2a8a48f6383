// SPDX-License-Identifier: Apache-2.0
// Where things are kept: the folder of one node, its files, and the default places (XDG, or
// /var/lib/hypermesh for root).
#pragma once

#include <string>

namespace hm::cli {

// XDG_STATE_HOME/hypermesh, ~/.local/state/hypermesh, or /var/lib/hypermesh for root.
std::string state_home();
std::string default_dev_folder();   // state_home()/dev
std::string default_node_folder();  // state_home()/node

// The path as seen from the root folder, without '.' and '..'.
std::string absolute(const std::string& path);

// The files of one node below its folder.
struct NodeFolder {
  std::string path;  // absolute

  std::string config() const { return path + "/node.toml"; }
  std::string keys() const { return path + "/keys"; }
  std::string node_key() const { return path + "/keys/node.key"; }
  std::string owner_key() const { return path + "/keys/owner.key"; }
  // What the node's owner and the node signed when it joined.
  std::string binding() const { return path + "/keys/binding"; }
  std::string admin_token() const { return path + "/keys/admin.token"; }
  std::string genesis() const { return path + "/genesis.toml"; }
  std::string data() const { return path + "/data"; }
  // What this node keeps for others.
  std::string shards() const { return data() + "/shards"; }
  // What is stored elsewhere for this node's owner: names, keys and places.
  std::string objects() const { return data() + "/objects"; }
  std::string log() const { return path + "/log"; }
  // Present while sharing is paused.
  std::string pause() const { return path + "/pause"; }
  // Private assets, which are nowhere else.
  std::string vault() const { return path + "/vault"; }
  // What this node runs elsewhere for its owner, and keeps running; what runs here for others;
  // images; scratch files.
  std::string runs() const { return path + "/runs"; }
  std::string services() const { return path + "/services"; }
  std::string containers() const { return path + "/containers"; }
  std::string images() const { return path + "/images"; }
  std::string scratch() const { return path + "/scratch"; }
  // Held by the daemon as long as it runs.
  std::string lock() const { return path + "/lock"; }
};

}  // namespace hm::cli
