// Hostile file names on their way in and out.
#include "ingest/filename.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "platform/text.h"

namespace thumb::ingest {
namespace {

using namespace std::string_literals;

TEST(CleanFilename, KeepsTheLastSegmentOfEitherSlash) {
  EXPECT_EQ(clean_filename("photo.jpg"), "photo.jpg");
  EXPECT_EQ(clean_filename("../../etc/passwd"), "passwd");
  EXPECT_EQ(clean_filename("C:\\Users\\me\\photo.jpg"), "photo.jpg");
  EXPECT_EQ(clean_filename("a/b\\c.png"), "c.png");
}

TEST(CleanFilename, LeavesNothingOfWhatIsNoName) {
  for (const auto& name : {""s, "."s, ".."s, "../"s, "a/.."s, "\\"s, "\x01\x02"s}) {
    EXPECT_EQ(clean_filename(name), "") << name;
  }
}

TEST(CleanFilename, DropsControlsDirectionMarksAndIllFormedBytes) {
  EXPECT_EQ(clean_filename("a\r\nb\0c\x7f.jpg"s), "abc.jpg");
  EXPECT_EQ(clean_filename("a\xC2\x85z.jpg"), "az.jpg");                  // a C1 control
  EXPECT_EQ(clean_filename("x\xE2\x80\xAEgpj.exe"), "xgpj.exe");          // right-to-left override
  EXPECT_EQ(clean_filename("\xff\xfe ok \xed\xa0\x80.jpg"), " ok .jpg");  // a surrogate
  EXPECT_EQ(clean_filename("\xC0\xAF.jpg"), ".jpg");                      // an overlong slash
}

TEST(CleanFilename, KeepsQuotesAndOtherScripts) {
  EXPECT_EQ(clean_filename("say \"hi\" \xE6\x97\xA5\xE6\x9C\xAC.png"),
            "say \"hi\" \xE6\x97\xA5\xE6\x9C\xAC.png");
}

TEST(CleanFilename, CutsBetweenCharacters) {
  EXPECT_EQ(clean_filename(std::string(3'000, 'a')).size(), kMaxFilenameBytes);
  std::string euros;
  for (int i = 0; i < 1'000; ++i) euros += "\xE2\x82\xAC";
  EXPECT_EQ(clean_filename(euros).size(), 255U);  // 85 of three bytes
  EXPECT_EQ(clean_filename("a" + euros).size(), 253U);
}

RC_GTEST_PROP(CleanFilenameProperty, IsAlwaysSafeAndSettled, (const std::string& name)) {
  const auto clean = clean_filename(name);
  RC_ASSERT(clean.size() <= kMaxFilenameBytes);
  RC_ASSERT(is_utf8(clean));
  RC_ASSERT(clean.find_first_of("/\\") == std::string::npos);
  for (const char c : clean) RC_ASSERT(static_cast<unsigned char>(c) >= 0x20);
  RC_ASSERT(clean_filename(clean) == clean);
}

TEST(DownloadName, PutsTheLabelBeforeTheNewExtension) {
  EXPECT_EQ(download_name("photo.jpg", "id", "thumbnail", "png"), "photo.thumbnail.png");
  EXPECT_EQ(download_name("a.b.c.gif", "id", "thumbnail", "png"), "a.b.c.thumbnail.png");
  EXPECT_EQ(download_name("noext", "id", "small", "jpg"), "noext.small.jpg");
  EXPECT_EQ(download_name(".hidden", "id", "thumbnail", "jpg"), ".hidden.thumbnail.jpg");
  EXPECT_EQ(download_name("", "0198", "thumbnail", "jpg"), "0198.thumbnail.jpg");
}

TEST(Disposition, IsPlainForPlainNames) {
  EXPECT_EQ(inline_disposition("my photo.jpg"), "inline; filename=\"my photo.jpg\"");
}

TEST(Disposition, EncodesWhatQuotesCanNotHold) {
  EXPECT_EQ(inline_disposition("a\"b\\c%d.jpg"),
            "inline; filename=\"a_b_c_d.jpg\"; filename*=UTF-8''a%22b%5Cc%25d.jpg");
  EXPECT_EQ(inline_disposition("\xE2\x82\xAC.jpg"),
            "inline; filename=\"_.jpg\"; filename*=UTF-8''%E2%82%AC.jpg");
}

RC_GTEST_PROP(DispositionProperty, NeverLeavesItsQuotesOrItsLine, (const std::string& name)) {
  const auto value = inline_disposition(name);
  for (const char c : value) RC_ASSERT(c >= 0x20 && c < 0x7F);
  RC_ASSERT(std::count(value.begin(), value.end(), '"') == 2);
}

}  // namespace
}  // namespace thumb::ingest
