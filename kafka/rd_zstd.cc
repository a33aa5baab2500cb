// Stands before two of libzstd's functions in a program that is linked with this file, since
// librdkafka 2.0.2 spends more on unpacking batches than the unpacking takes:
// - It asks how much a batch unpacks to, and where the batch does not say, as none of librdkafka's
//   own does, it tries with room for twice its size, then more, from the start each time. Two of
//   three attempts, half of all unpacking, were for nothing. Here such a batch is said to unpack to
//   what those attempts come to anyway.
// - It unpacks each batch with a context of its own: memory touched for the first time, and two
//   questions to the CPU what it can do, which a hypervisor answers at its leisure. Together a
//   third of all unpacking, on a virtual machine. Here each thread keeps its context.
#include <dlfcn.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <cstddef>
#include <memory>

namespace {

constexpr unsigned long long kUsualRatio = 8;  // of our JSON; a larger one costs another attempt
// What is said must stay far below librdkafka's limit (receive.message.max.bytes, 100 MB): past it
// a batch is refused unseen. Larger batches are rare.
constexpr std::size_t kLargestGuessed = std::size_t{1} << 20U;

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

}  // namespace

extern "C" unsigned long long ZSTD_getFrameContentSize(const void* frame, std::size_t bytes) {
  static const auto kReal = reinterpret_cast<decltype(&ZSTD_getFrameContentSize)>(
      ::dlsym(RTLD_NEXT, "ZSTD_getFrameContentSize"));
  const auto said = kReal == nullptr ? ZSTD_CONTENTSIZE_UNKNOWN : kReal(frame, bytes);
  if (said != ZSTD_CONTENTSIZE_UNKNOWN || bytes > kLargestGuessed) return said;
  return bytes * kUsualRatio;
}

extern "C" std::size_t ZSTD_decompress(void* to, std::size_t room, const void* frame,
                                       std::size_t bytes) {
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeContext> kContext(ZSTD_createDCtx());
  // libzstd's errors are the negative numbers of their kinds.
  if (!kContext) return std::size_t{0} - std::size_t{ZSTD_error_memory_allocation};
  return ZSTD_decompressDCtx(kContext.get(), to, room, frame, bytes);
}
