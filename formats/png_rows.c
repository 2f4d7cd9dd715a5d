/* Owns libpng's writer: its errors jump, so each call here is a place to land. */
#include "formats/png_rows.h"

#include <png.h>
#include <stdlib.h>

struct png_rows {
    png_structp png;
    png_infop info;
    struct buf *out;
};

static void write_bytes(png_structp png, png_bytep bytes, size_t n)
{
    struct png_rows *p = png_get_io_ptr(png);

    buf_add(p->out, bytes, n);
}

static void flush_nothing(png_structp png)
{
    (void)png;
}

/* libpng would write to stderr. */
static void jump(png_structp png, png_const_charp why)
{
    (void)why;
    png_longjmp(png, 1);
}

static void say_nothing(png_structp png, png_const_charp why)
{
    (void)png;
    (void)why;
}

static void put_palette(struct png_rows *p, const struct png_colour *palette)
{
    png_color colours[PNG_ROWS_PALETTE];

    for (size_t i = 0; i < PNG_ROWS_PALETTE; i++)
        colours[i] = (png_color){palette[i].red, palette[i].green, palette[i].blue};
    png_set_PLTE(p->png, p->info, colours, PNG_ROWS_PALETTE);
}

static enum err put_head(
    struct png_rows *p, size_t width, size_t height, const struct png_colour *palette)
{
    if (setjmp(png_jmpbuf(p->png)))
        return ERR_INVALID;
    png_set_write_fn(p->png, p, write_bytes, flush_nothing);
    png_set_IHDR(p->png, p->info, (png_uint_32)width, (png_uint_32)height, 8,
        palette ? PNG_COLOR_TYPE_PALETTE : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
        PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (palette)
        put_palette(p, palette);
    png_set_filter(p->png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE); /* areas of one colour */
    png_write_info(p->png, p->info);
    return buf_err(p->out);
}

enum err png_rows_begin(struct png_rows **out, struct buf *bytes, size_t width, size_t height,
    const struct png_colour *palette)
{
    struct png_rows *p = calloc(1, sizeof(*p));

    *out = p;
    if (!p)
        return ERR_NO_MEMORY;
    p->out = bytes;
    p->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, jump, say_nothing);
    p->info = p->png ? png_create_info_struct(p->png) : NULL;
    if (!p->info)
        return ERR_NO_MEMORY;
    return put_head(p, width, height, palette);
}

enum err png_rows_put(struct png_rows *p, const unsigned char *row)
{
    if (setjmp(png_jmpbuf(p->png)))
        return ERR_INVALID;
    png_write_row(p->png, row);
    return buf_err(p->out);
}

enum err png_rows_end(struct png_rows *p)
{
    if (setjmp(png_jmpbuf(p->png)))
        return ERR_INVALID;
    png_write_end(p->png, NULL);
    return buf_err(p->out);
}

void png_rows_free(struct png_rows *p)
{
    if (!p)
        return;
    png_destroy_write_struct(&p->png, &p->info);
    free(p);
}
