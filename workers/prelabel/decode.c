/* Owns the image file formats: libpng's simplified reader and libjpeg-turbo. Never allocates pixels
 * before the header's dimensions were checked. */
#include "workers/prelabel/decode.h"

#include <png.h>
#include <stdlib.h>
#include <turbojpeg.h>

#include "workers/prelabel/exif.h"
#include "workers/prelabel/image.h"

static enum err check_dimensions(uint64_t width, uint64_t height)
{
    if (width == 0 || height == 0)
        return ERR_CORRUPT;
    if (width > DECODE_SIDE || height > DECODE_SIDE || width * height > DECODE_PIXELS)
        return ERR_TOO_LARGE;
    return ERR_OK;
}

static enum err image_alloc(struct image *im, int width, int height, int channels)
{
    *im = (struct image){width, height, channels, NULL};
    im->pixels = malloc((size_t)width * (size_t)height * (size_t)channels);
    return im->pixels ? ERR_OK : ERR_NO_MEMORY;
}

/* Gray, palette, alpha and 16 bits are the library's work; gray of colour is ours, so that PNG and
 * JPEG agree (the library would mix in linear light). */
static enum err decode_png(struct str file, int channels, struct image *im)
{
    png_image png = {.version = PNG_IMAGE_VERSION};
    const png_color white = {255, 255, 255};

    if (!png_image_begin_read_from_memory(&png, file.p, file.n))
        return ERR_CORRUPT;
    enum err e = check_dimensions(png.width, png.height);
    bool gray = channels == 1 && !(png.format & PNG_FORMAT_FLAG_COLOR);
    png.format = gray ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
    png.flags |= PNG_IMAGE_FLAG_16BIT_sRGB; /* else 16 bits without gAMA are taken as linear */
    if (!e)
        e = image_alloc(im, (int)png.width, (int)png.height, gray ? 1 : 3);
    if (!e && !png_image_finish_read(&png, &white, im->pixels, 0, NULL))
        e = ERR_CORRUPT;
    png_image_free(&png);
    return e;
}

static enum err decompress(tjhandle tj, struct str file, int channels, struct image *im)
{
    int width = 0, height = 0, sampling, colours; /* kept by a file of tables only */

    if (tjDecompressHeader3(
            tj, (const unsigned char *)file.p, file.n, &width, &height, &sampling, &colours) != 0 ||
        width < 1 || height < 1)
        return ERR_CORRUPT;
    enum err e = check_dimensions((uint64_t)width, (uint64_t)height);
    bool cmyk = colours == TJCS_CMYK || colours == TJCS_YCCK;
    int format = cmyk ? TJPF_CMYK : channels == 1 ? TJPF_GRAY : TJPF_RGB;
    if (!e)
        e = image_alloc(im, width, height, tjPixelSize[format]);
    /* A warning is a damaged file: the label of half a picture helps nobody. */
    if (!e && tjDecompress2(tj, (const unsigned char *)file.p, file.n, im->pixels, width, 0, height,
                  format, TJFLAG_LIMITSCANS | TJFLAG_STOPONWARNING) != 0)
        e = ERR_CORRUPT;
    if (!e && cmyk)
        image_from_cmyk(im);
    return e;
}

static enum err decode_jpeg(struct str file, int channels, struct image *im)
{
    tjhandle tj = tjInitDecompress();

    if (!tj)
        return ERR_NO_MEMORY;
    enum err e = decompress(tj, file, channels, im);
    tjDestroy(tj);
    return e ? e : image_orient(im, exif_orientation(file));
}

enum err decode_image(const struct decode_spec *spec, struct str file, unsigned char *out)
{
    static const struct {
        struct str magic;
        enum err (*decode)(struct str file, int channels, struct image *im);
    } formats[] = {
        {{"\x89PNG\r\n\x1a\n", 8}, decode_png},
        {{"\xff\xd8\xff", 3}, decode_jpeg},
    };
    struct image im = {0};
    int channels = (int)spec->channels;

    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        if (!str_starts(file, formats[i].magic))
            continue;
        enum err e = formats[i].decode(file, channels, &im);
        if (!e) {
            image_channels(&im, channels);
            e = image_resize(&im, (int)spec->width, (int)spec->height, out);
        }
        image_release(&im);
        return e;
    }
    return ERR_MEDIA_TYPE;
}
