#include "tests/support/jpeg_reference.h"

#include <jpeglib.h>

#include <algorithm>
#include <cmath>
#include <csetjmp>
#include <cstdlib>
#include <random>
#include <vector>

namespace thumb::testing {
namespace {

struct Escape {
  jpeg_error_mgr errors;
  std::jmp_buf to;
};

[[noreturn]] void leave(j_common_ptr common) {
  std::longjmp(reinterpret_cast<Escape*>(common->err)->to, 1);
}
void say_nothing(j_common_ptr /*common*/) {}

std::vector<std::uint8_t> picture_of(const JpegSample& sample) {
  std::mt19937 random(sample.seed);
  std::vector<std::uint8_t> rgb;
  for (std::uint32_t y = 0; y < sample.size.height; ++y) {
    for (std::uint32_t x = 0; x < sample.size.width; ++x) {
      const std::uint32_t levels[] = {x * 255 / sample.size.width, y * 255 / sample.size.height,
                                      (x + y) % 256};
      for (const auto level : levels) {
        const auto grain = static_cast<int>(random() % 256) - 128;
        const int value = static_cast<int>(level) + grain * sample.noise / 255;
        rgb.push_back(static_cast<std::uint8_t>(std::clamp(value, 0, 255)));
      }
    }
  }
  return rgb;
}

void set_up(jpeg_compress_struct& file, const JpegSample& sample) {
  file.image_width = sample.size.width;
  file.image_height = sample.size.height;
  file.input_components = 3;
  file.in_color_space = JCS_RGB;
  jpeg_set_defaults(&file);
  jpeg_set_quality(&file, sample.quality, TRUE);
  file.comp_info[0].h_samp_factor = sample.luma_across;
  file.comp_info[0].v_samp_factor = sample.luma_down;
  file.restart_interval = sample.restart_interval;
  file.optimize_coding = sample.own_codes ? TRUE : FALSE;
  file.arith_code = sample.arithmetic ? TRUE : FALSE;
  if (sample.progressive) jpeg_simple_progression(&file);
}

// The component's DC coefficients, each times its quantizer: 8 times the mean of its block.
struct Means {
  std::vector<int> of_blocks;
  std::uint32_t width = 0;  // in blocks
  std::uint32_t across = 1;
  std::uint32_t down = 1;
};

struct Reading {
  jpeg_decompress_struct file{};
  Escape escape{};
  Means means[3];
  ~Reading() { jpeg_destroy_decompress(&file); }
};

// The only function that libjpeg may leave.
bool read(Reading& reading, const std::string& bytes) {
  auto& file = reading.file;
  file.err = jpeg_std_error(&reading.escape.errors);
  reading.escape.errors.error_exit = leave;
  reading.escape.errors.output_message = say_nothing;
  if (setjmp(reading.escape.to) != 0) return false;
  jpeg_create_decompress(&file);
  jpeg_mem_src(&file, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_read_header(&file, TRUE);
  if (file.num_components != 3) return false;
  jvirt_barray_ptr* arrays = jpeg_read_coefficients(&file);
  if (file.err->num_warnings != 0) return false;
  for (int i = 0; i < 3; ++i) {
    const jpeg_component_info& part = file.comp_info[i];
    Means& means = reading.means[i];
    means.width = part.width_in_blocks;
    means.across = static_cast<std::uint32_t>(part.h_samp_factor);
    means.down = static_cast<std::uint32_t>(part.v_samp_factor);
    means.of_blocks.clear();
    for (JDIMENSION y = 0; y < part.height_in_blocks; ++y) {
      JBLOCKARRAY rows = (*file.mem->access_virt_barray)(reinterpret_cast<j_common_ptr>(&file),
                                                         arrays[i], y, 1, FALSE);
      for (JDIMENSION x = 0; x < part.width_in_blocks; ++x) {
        means.of_blocks.push_back(rows[0][x][0] * part.quant_table->quantval[0]);
      }
    }
  }
  return true;
}

double level_at(const Means& means, std::uint32_t x, std::uint32_t y, const Means& finest) {
  const std::uint32_t own_x = x * means.across / finest.across;
  const std::uint32_t own_y = y * means.down / finest.down;
  const int eightfold = means.of_blocks.at(std::size_t{own_y} * means.width + own_x);
  return std::clamp(std::floor(eightfold / 8.0 + 0.5) + 128, 0.0, 255.0);
}

std::uint8_t rounded(double value) {
  return static_cast<std::uint8_t>(std::clamp(std::lround(value), 0L, 255L));
}

}  // namespace

std::string encoded_jpeg(const JpegSample& sample) {
  auto rgb = picture_of(sample);
  jpeg_compress_struct file{};
  jpeg_error_mgr errors{};
  file.err = jpeg_std_error(&errors);
  jpeg_create_compress(&file);
  unsigned char* out = nullptr;
  unsigned long bytes = 0;
  jpeg_mem_dest(&file, &out, &bytes);
  set_up(file, sample);
  jpeg_start_compress(&file, TRUE);
  while (file.next_scanline < file.image_height) {
    JSAMPROW row = rgb.data() + std::size_t{3} * file.next_scanline * sample.size.width;
    jpeg_write_scanlines(&file, &row, 1);
  }
  jpeg_finish_compress(&file);
  jpeg_destroy_compress(&file);
  std::string encoded(reinterpret_cast<const char*>(out), bytes);
  std::free(out);
  return encoded;
}

std::optional<RgbPicture> reference_eighth(const std::string& bytes) {
  Reading reading;
  if (!read(reading, bytes)) return std::nullopt;
  const auto& [luma, blue, red] = reading.means;
  RgbPicture picture{{(reading.file.image_width + 7) / 8, (reading.file.image_height + 7) / 8}, {}};
  for (std::uint32_t y = 0; y < picture.size.height; ++y) {
    for (std::uint32_t x = 0; x < picture.size.width; ++x) {
      const double bright = level_at(luma, x, y, luma);
      const double cb = level_at(blue, x, y, luma) - 128;
      const double cr = level_at(red, x, y, luma) - 128;
      picture.rgb.push_back(rounded(bright + 1.402 * cr));
      picture.rgb.push_back(rounded(bright - 0.344136 * cb - 0.714136 * cr));
      picture.rgb.push_back(rounded(bright + 1.772 * cb));
    }
  }
  return picture;
}

}  // namespace thumb::testing
