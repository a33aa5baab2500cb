#include "processor/image/jpeg/jpeg_head.h"

#include <jpeglib.h>

#include <algorithm>
#include <csetjmp>
#include <cstdlib>

namespace thumb {
namespace {

constexpr int kIccMarker = JPEG_APP0 + 2;  // ICC.1, annex B.4
// ImageMagick has limits of its own and words for them.
constexpr JDIMENSION kMaxSide = 32'000;

// libjpeg leaves by longjmp when it can't go on: nothing that has a destructor may live in between.
struct Escape {
  jpeg_error_mgr errors;  // first: libjpeg hands back a pointer to it
  std::jmp_buf to;
};

[[noreturn]] void leave(j_common_ptr common) {
  std::longjmp(reinterpret_cast<Escape*>(common->err)->to, 1);
}
void say_nothing(j_common_ptr /*common*/) {}

// libjpeg looks at the numbers of the tables only when it starts to decode.
template <typename Table, std::size_t N>
bool has(Table* const (&tables)[N], int number) {
  return number >= 0 && static_cast<std::size_t>(number) < N && tables[number] != nullptr;
}

bool has_tables(const jpeg_decompress_struct& file, const jpeg_component_info& part) {
  return has(file.quant_tbl_ptrs, part.quant_tbl_no) &&
         has(file.dc_huff_tbl_ptrs, part.dc_tbl_no) && has(file.ac_huff_tbl_ptrs, part.ac_tbl_no);
}

bool is_plain(const jpeg_decompress_struct& file) {
  const bool one_sequential_scan = file.progressive_mode == 0 && file.arith_code == 0 &&
                                   file.comps_in_scan == file.num_components && file.Ss == 0 &&
                                   file.Se == DCTSIZE2 - 1 && file.Ah == 0 && file.Al == 0;
  const bool colours =
      file.data_precision == 8 && file.num_components == 3 && file.jpeg_color_space == JCS_YCbCr;
  const bool sized = file.image_width <= kMaxSide && file.image_height <= kMaxSide;
  if (!one_sequential_scan || !colours || !sized || file.err->num_warnings != 0) return false;
  for (int i = 0; i < file.num_components; ++i) {
    const jpeg_component_info& part = file.comp_info[i];
    if (file.cur_comp_info[i] != &part || !has_tables(file, part)) return false;
  }
  return true;
}

HuffmanSpec copied(const JHUFF_TBL& table) {
  HuffmanSpec spec;
  std::copy(std::begin(table.bits), std::end(table.bits), spec.codes_of_length.begin());
  std::copy(std::begin(table.huffval), std::end(table.huffval), spec.symbols.begin());
  return spec;
}

JpegComponent copied(const jpeg_decompress_struct& file, const jpeg_component_info& part) {
  JpegComponent component;
  component.across = static_cast<std::uint32_t>(part.h_samp_factor);
  component.down = static_cast<std::uint32_t>(part.v_samp_factor);
  std::copy_n(file.quant_tbl_ptrs[part.quant_tbl_no]->quantval, DCTSIZE2,
              component.quantizers.begin());
  component.dc = copied(*file.dc_huff_tbl_ptrs[part.dc_tbl_no]);
  component.ac = copied(*file.ac_huff_tbl_ptrs[part.ac_tbl_no]);
  return component;
}

// Owns libjpeg's memory, and the profile that libjpeg allocates for us.
class Reader {
 public:
  explicit Reader(ByteView bytes) : bytes_(bytes) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() {
    std::free(profile_);
    if (created_) jpeg_destroy_decompress(&file_);
  }

  // The only function that libjpeg may leave.
  bool read() {
    file_.err = jpeg_std_error(&escape_.errors);
    escape_.errors.error_exit = leave;
    escape_.errors.output_message = say_nothing;
    if (setjmp(escape_.to) != 0) return false;
    jpeg_create_decompress(&file_);
    created_ = true;
    jpeg_mem_src(&file_, reinterpret_cast<const unsigned char*>(bytes_.data()), bytes_.size());
    jpeg_save_markers(&file_, kIccMarker, 0xFFFF);
    if (jpeg_read_header(&file_, TRUE) != JPEG_HEADER_OK || !is_plain(file_)) return false;
    jpeg_read_icc_profile(&file_, &profile_, &profile_bytes_);
    return file_.err->num_warnings == 0;
  }

  // REQUIRES: read() said yes.
  JpegHead head() const {
    JpegHead head;
    head.size = {file_.image_width, file_.image_height};
    for (std::size_t i = 0; i < head.components.size(); ++i) {
      head.components[i] = copied(file_, file_.comp_info[i]);
    }
    head.restart_interval = file_.restart_interval;
    if (profile_ != nullptr) {
      head.icc_profile.assign(reinterpret_cast<const char*>(profile_), profile_bytes_);
    }
    head.scan_at = bytes_.size() - file_.src->bytes_in_buffer;
    return head;
  }

 private:
  ByteView bytes_;
  jpeg_decompress_struct file_{};
  Escape escape_{};
  bool created_ = false;
  JOCTET* profile_ = nullptr;
  unsigned int profile_bytes_ = 0;
};

}  // namespace

std::optional<JpegHead> plain_jpeg_head(ByteView file) {
  Reader reader(file);
  if (!reader.read()) return std::nullopt;
  return reader.head();
}

}  // namespace thumb
