// Lists that are partly in a file hold what a vector would.
#include "attune/files/long_list.h"

#include <filesystem>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "catch.h"
#include "file_limit.h"
#include "raises.h"
#include "temporary_folder.h"

namespace {

using namespace attune;
using files::ListView;
using files::LongList;
using testing::TemporaryFolder;

struct Item {
  std::int64_t number = 0;
  std::string text;
  std::string shared;
  bool operator==(const Item&) const = default;
};

void pack(const Item& item, files::Packer& packer) { packer.integer(item.number).text(item.text).shared(item.shared); }
void unpack(files::Unpacker& packed, Item& item) {
  item.number = packed.integer();
  item.text = packed.text();
  item.shared = *packed.shared();
}
std::size_t memory_of(const Item&) { return 100; }

Item item(int i) { return {i * 1'000'003LL * (i % 2 == 0 ? 1 : -1), std::string(static_cast<std::size_t>(i % 40), 'x') + std::to_string(i), i < 60 ? "a" : "b"}; }

/// Items 0 … count - 1, of which `in_memory` lie in memory.
LongList<Item> list_of(int count, std::size_t in_memory, const std::string& folder) {
  LongList<Item> list;
  list.spill_to(folder, 100 * in_memory);
  for (int i = 0; i < count; ++i) list.push_back(item(i));
  return list;
}

std::vector<Item> all_of(const ListView<Item>& list) {
  std::vector<Item> all;
  list.for_each([&](const Item& each) { all.push_back(each); });
  return all;
}

std::vector<Item> items(int count) {
  std::vector<Item> all;
  for (int i = 0; i < count; ++i) all.push_back(item(i));
  return all;
}

}  // namespace

TEST_CASE("a list that is longer than its memory gives back what it was given, in order and by number", "[files][long_list]") {
  const TemporaryFolder folder;
  for (const std::size_t in_memory : {0u, 5u, 100u, 1000u}) {
    for (const int count : {0, 1, 16, 17, 33, 100}) {
      INFO(in_memory << " of " << count);
      const LongList<Item> list = list_of(count, in_memory, folder.path());
      CHECK(list.size() == static_cast<std::size_t>(count));
      CHECK(list.empty() == (count == 0));
      CHECK(all_of(list) == items(count));
      for (int i = count; i-- > 0;) CHECK(*list.get(static_cast<std::size_t>(i)) == item(i));
    }
  }
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("what was read from the file is the reader's", "[files][long_list]") {
  const TemporaryFolder folder;
  const LongList<Item> list = list_of(50, 3, folder.path());
  const auto first = list.get(10), second = list.get(40), near = list.get(1);
  list.for_each([&](const Item& each) { CHECK(*list.get(each == item(7) ? 33 : 12) == item(each == item(7) ? 33 : 12)); });
  CHECK(*first == item(10));
  CHECK(*second == item(40));
  CHECK(*near == item(1));
}

TEST_CASE("a long list can be edited and thinned out", "[files][long_list]") {
  const TemporaryFolder folder;
  LongList<Item> list = list_of(100, 30, folder.path());
  std::int64_t next = 0;
  list.edit([&](Item& each) { each.number = next++; });
  CHECK(list.get(99)->number == 99);
  std::size_t largest = 0;
  std::vector<std::int64_t> seen;
  list.rewrite(700, [&](std::vector<Item>& some) {
    largest = std::max(largest, some.size());
    for (const Item& each : some) seen.push_back(each.number);
    std::erase_if(some, [](const Item& each) { return each.number % 3 == 0; });
  });
  CHECK(largest == 7);
  std::vector<std::int64_t> expected(100);
  std::iota(expected.begin(), expected.end(), 0);
  CHECK(seen == expected);
  REQUIRE(list.size() == 66);
  for (std::size_t i = 0; i < 66; ++i) CHECK(list.get(i)->number == static_cast<std::int64_t>(i / 2 * 3 + i % 2 + 1));
  list.push_back(item(5));
  CHECK(*list.get(66) == item(5));
  list.clear();
  CHECK(list.empty());
}

TEST_CASE("a list without a limit is a vector, and one that is partly in a file is not taken for one", "[files][long_list]") {
  const TemporaryFolder folder;
  LongList<Item> list = items(20);
  CHECK(std::span<const Item>(list).size() == 20);
  CHECK(list[3] == item(3));
  list.spill_to(folder.path(), 2100);
  list.push_back(item(20));
  CHECK(list.values().size() == 21);
  list.push_back(item(21));
  CHECK(list.size() == 22);
  CHECK_RAISES(list.begin(), internal, "partly in a file");
  CHECK_RAISES(list[3], internal, "partly in a file");
}

TEST_CASE("rows for which there is no file stay in memory", "[files][long_list]") {
  const TemporaryFolder folder;
  const LongList<Item> list = list_of(100, 5, folder / "missing/folder");
  CHECK(all_of(list) == items(100));
  CHECK(*list.get(77) == item(77));
  testing::with_file_limit(500, [&] {
    const LongList<Item> cut_off = list_of(100, 5, folder.path());
    CHECK(all_of(cut_off) == items(100));
  });
}

TEST_CASE("bytes that were not packed so are a defect, not a fault", "[files][long_list]") {
  const files::SharedTexts none;
  const auto unpack = [&](const std::string& bytes) { return files::Unpacker(bytes, none); };
  CHECK_RAISES(unpack("").integer(), internal, "unpacked");
  CHECK_RAISES(unpack("\x80").integer(), internal, "unpacked");
  CHECK_RAISES(unpack(std::string(20, '\xff')).integer(), internal, "unpacked");
  std::string bytes;
  files::SharedTexts shared;
  files::Packer(bytes, shared).integer(1LL << 60).integer(-1).integer(4);
  files::Unpacker packed(bytes, shared);
  std::vector<float> floats;
  std::vector<std::string> texts;
  CHECK_RAISES(packed.list(floats), internal, "unpacked");
  CHECK_RAISES(packed.text(), internal, "unpacked");
  CHECK_RAISES(packed.list(texts), internal, "unpacked");
  CHECK(packed.empty());
}

TEST_CASE("packed numbers and lists come out as they went in", "[files][long_list]") {
  using Limits = std::numeric_limits<std::int64_t>;
  std::string bytes;
  files::SharedTexts shared;
  files::Packer packer(bytes, shared);
  const std::vector<std::int64_t> numbers = {0, -1, 1, 63, 64, -64, -65, 8191, 8192, 1LL << 40, Limits::max(), Limits::min()};
  packer.integer(5);
  CHECK(bytes.size() == 1);
  for (const std::int64_t number : numbers) packer.integer(number);
  packer.real(0.1).list(std::vector<float>{1.5F, -2}).list(std::vector<std::string>{"", "é"}).shared("x").shared("y").shared("x");
  files::Unpacker packed(bytes, shared);
  CHECK(packed.integer() == 5);
  for (const std::int64_t number : numbers) CHECK(packed.integer() == number);
  CHECK(packed.real() == 0.1);
  std::vector<float> floats = {9, 9, 9};
  packed.list(floats);
  CHECK(floats == std::vector<float>{1.5F, -2});
  std::vector<std::string> texts = {"old"};
  packed.list(texts);
  CHECK(texts == std::vector<std::string>{"", "é"});
  const auto x = packed.shared();
  CHECK(*x == "x");
  CHECK(*packed.shared() == "y");
  CHECK(packed.shared() == x);
  CHECK_RAISES(packed.integer(), internal, "unpacked");
}
