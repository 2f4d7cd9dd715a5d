/* The one thing that we read of EXIF: which way up a photograph is. */
#ifndef PRELABEL_EXIF_H
#define PRELABEL_EXIF_H

#include "base/str.h"

/* 1..8 from the first APP1 Exif segment of a JPEG file; 1 when there is none or it makes no sense.
 */
int exif_orientation(struct str jpeg);

#endif
