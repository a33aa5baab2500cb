// SHA-256 against the examples of FIPS 180-4, whole and in pieces.
#include "platform/digest.h"

#include <gtest/gtest.h>

#include "platform/text.h"

namespace thumb {
namespace {

TEST(Sha256, KnownAnswers) {
  EXPECT_EQ(sha256_hex(as_bytes("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex(as_bytes("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, PiecesGiveTheDigestOfTheWhole) {
  Sha256 digest;
  digest.update(as_bytes("a"));
  digest.update(as_bytes(""));
  digest.update(as_bytes("bc"));
  EXPECT_EQ(to_hex(digest.finish()), sha256_hex(as_bytes("abc")));
}

}  // namespace
}  // namespace thumb
