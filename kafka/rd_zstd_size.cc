// Stands before libzstd's function of this name in a program that is linked with this file, for
// librdkafka 2.0.2: it asks how much a batch unpacks to, and where the batch does not say, as none
// of librdkafka's own does, it tries with room for twice its size, then more, from the start each
// time. Two of three attempts, half of all unpacking, were for nothing. Here such a batch is said
// to unpack to what those attempts come to anyway.
#include <dlfcn.h>
#include <zstd.h>

#include <cstddef>

namespace {

constexpr unsigned long long kUsualRatio = 8;  // of our JSON; a larger one costs another attempt
// What is said must stay far below librdkafka's limit (receive.message.max.bytes, 100 MB): past it
// a batch is refused unseen. Larger batches are rare.
constexpr std::size_t kLargestGuessed = std::size_t{1} << 20U;

}  // namespace

extern "C" unsigned long long ZSTD_getFrameContentSize(const void* frame, std::size_t bytes) {
  static const auto kReal = reinterpret_cast<decltype(&ZSTD_getFrameContentSize)>(
      ::dlsym(RTLD_NEXT, "ZSTD_getFrameContentSize"));
  const auto said = kReal == nullptr ? ZSTD_CONTENTSIZE_UNKNOWN : kReal(frame, bytes);
  if (said != ZSTD_CONTENTSIZE_UNKNOWN || bytes > kLargestGuessed) return said;
  return bytes * kUsualRatio;
}
