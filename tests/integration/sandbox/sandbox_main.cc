// Main of the sandbox tests: the same binary is the zygote, as the processor is.
#include <gtest/gtest.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "platform/settings.h"
#include "processor/sandbox/sandboxed_thumbnail_maker.h"
#include "tests/integration/sandbox/test_decoder.h"

namespace {

// A container that permits no filters: seccomp() and prctl(PR_SET_SECCOMP) fail.
bool forbid_seccomp() {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  const bool done =
      seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prctl), 1,
                       SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP)) == 0 &&
      seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(seccomp), 0) == 0 &&
      seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(landlock_create_ruleset), 0) == 0 &&
      seccomp_load(filter) == 0;
  seccomp_release(filter);
  return done;
}

// A processor in miniature, for tests that look at it from outside: starts its workers, decodes one
// text, says on stderr what came of it, and stays until it is killed.
int run_pool() {
  using namespace thumb;
  Log log("pool", LogLevel::kInfo);
  Metrics metrics;
  const auto maker = SandboxedThumbnailMaker::start({.workers = 2}, log, metrics);
  if (!maker) {
    log.error("no pool", maker.error());
    return kExitRuntime;
  }
  const auto made = (*maker)->make(as_bytes("no image"), default_variants(), {});
  log.info("pool runs", {{"code", made ? "made" : made.error().code}});
  while (true) pause();
}

}  // namespace

int main(int argc, char** argv) {
  if (thumb::is_zygote(argc, argv)) {
    return thumb::zygote_main(argc, argv, thumb::testing::make_test_decoder);
  }
  const std::string_view part = argc > 1 ? argv[1] : "";
  if (part == "pool") return run_pool();
  if (part == "pool-without-seccomp") return forbid_seccomp() ? run_pool() : 3;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
