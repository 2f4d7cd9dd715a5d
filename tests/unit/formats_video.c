/* Tracks through CVAT for video: boxes byte by byte, documents that claim too much. */
#include "formats_run.h"
#include "t.h"

#define FILMS                                                                                      \
    "<View><Video name=\"film\" value=\"$film\"/><VideoRectangle name=\"box\" toName=\"film\"/>"   \
    "<Labels name=\"what\" toName=\"film\"><Label value=\"a&amp;b\"/></Labels></View>"
#define TRACK(id, frames, keys)                                                                    \
    "{\"from_name\":\"box\",\"id\":\"" id "\",\"original_height\":100,\"original_width\":200,"     \
    "\"to_name\":\"film\",\"type\":\"videorectangle\",\"value\":{\"framesCount\":" frames          \
    ",\"labels\":[\"a&b\"],\"sequence\":[" keys "]}}"
#define KEY(frame, x, enabled)                                                                     \
    "{\"enabled\":" enabled ",\"frame\":" frame ",\"height\":10,\"rotation\":0,\"time\":1,"        \
    "\"width\":10,\"x\":" x ",\"y\":0}"
#define BOX(frame, key, outside, left, right)                                                      \
    "    <box frame=\"" frame "\" keyframe=\"" key "\" outside=\"" outside                         \
    "\" occluded=\"0\" xtl=\"" left "\" ytl=\"0\" xbr=\"" right                                    \
    "\" ybr=\"10\" z_order=\"0\">\n    </box>\n"

static const char data[] = "{\"film\":\"https://x/f.mp4\"}";

/* What stands behind the head. */
static void check(const char *result, bool labelled, const char *want, const char *lost)
{
    struct export_item item = item_of(data, result);
    struct export_options o = {.format = format_find(STR("cvat-video")),
        .container = CONTAINER_TAR,
        .labelled_only = labelled};
    struct buf out, report;
    struct str xml;
    const char *tracks;

    buf_init(&out, 1 << 24);
    buf_init(&report, 1 << 16);
    CHECK_INT(export_run_with(o, FILMS, &item, &out, &report), ERR_OK);
    xml = file_in(buf_view(&out), "annotations/0000000007.xml");
    tracks = memmem(xml.p, xml.n, "  </meta>\n", 10);
    REQUIRE(tracks != NULL);
    tracks += 10;
    CHECK_STR(((struct str){tracks, xml.n - (size_t)(tracks - xml.p)}), str_of(want));
    check_lost(buf_view(&report), lost);
    buf_release(&out);
    buf_release(&report);
}

#define OPEN "  <track id=\"0\" label=\"a&amp;b\" source=\"manual\">\n"
#define SHUT "  </track>\n</annotations>\n"

TEST(tracks_of_a_film)
{
    const char *moves = "[" TRACK("a", "6", KEY("1", "0", "true") "," KEY("3", "10", "false")) "]";

    check(moves, false,
        OPEN BOX("0", "1", "0", "0", "20") BOX("1", "0", "0", "10", "30")
            BOX("2", "1", "0", "20", "40") BOX("3", "1", "1", "20", "40") SHUT,
        "{}");
    check(moves, true,
        OPEN BOX("0", "1", "0", "0", "20") BOX("2", "1", "0", "20", "40")
            BOX("3", "1", "1", "20", "40") SHUT,
        "{}");
    /* to the end of the film; of two of one frame the later; the film is as long as its last key */
    check("[" TRACK("a", "1", KEY("2", "0", "true") "," KEY("2", "10", "true")) "]", false,
        OPEN BOX("1", "1", "0", "20", "40") SHUT, "{}");
    check("[" TRACK("a", "3", KEY("1", "0", "true")) "]", false,
        OPEN BOX("0", "1", "0", "0", "20") BOX("1", "0", "0", "0", "20")
            BOX("2", "0", "0", "0", "20") SHUT,
        "{}");
    check("[" TRACK("a", "9", KEY("5", "0", "false") "," KEY("6", "0", "false")) "]", false,
        OPEN BOX("4", "1", "0", "0", "20") BOX("5", "1", "0", "0", "20")
            BOX("6", "1", "1", "0", "20") SHUT,
        "{}");
}

TEST(films_that_claim_too_much)
{
    check("[" TRACK("a", "9007199254740991", KEY("1", "0", "true")) "]", false,
        OPEN BOX("0", "1", "0", "0", "20") SHUT, "{}");
    check("[" TRACK("a", "1000000000", KEY("1", "0", "true")) "]", false,
        OPEN BOX("0", "1", "0", "0", "20") SHUT, "{\"frames\":1}");
    check("[" TRACK("a", "1", KEY("9007199254740991", "0", "true")) "]", false, "</annotations>\n",
        "{\"regions.empty\":1}");
}

TEST(no_film_gathers)
{
    check_gathers_not("cvat-video", FILMS,
        item_of(data, "[" TRACK("a", "6", KEY("1", "0", "true") "," KEY("3", "10", "false")) "]"));
}
