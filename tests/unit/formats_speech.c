/* Recordings through the ASR manifest and RTTM: lines byte by byte, what is lost, what is refused.
 */
#include "formats_run.h"
#include "t.h"

#define TALKS                                                                                      \
    "<View><Audio name=\"audio\" value=\"$audio\"/><Labels name=\"who\" toName=\"audio\">"         \
    "<Label value=\"Ann Lee\"/><Label value=\"Bo\"/></Labels>"                                     \
    "<TextArea name=\"said\" toName=\"audio\" perRegion=\"true\"/>"                                \
    "<TextArea name=\"note\" toName=\"audio\"/></View>"
#define DICTATION                                                                                  \
    "<View><Audio name=\"audio\" value=\"$audio\"/><TextArea name=\"said\" "                       \
    "toName=\"audio\"/></View>"

#define READING "<View><Text name=\"t\" value=\"$t\"/><TextArea name=\"said\" toName=\"t\"/></View>"
#define DIARY                                                                                      \
    "<View><Audio name=\"audio\" value=\"$audio\"/><Labels name=\"who\" toName=\"audio\">"         \
    "<Label value=\"Bo\"/></Labels></View>"

#define TURN(id, start, end, channel, who)                                                         \
    "{\"from_name\":\"who\",\"id\":\"" id "\",\"original_length\":9.5,\"to_name\":\"audio\","      \
    "\"type\":\"labels\",\"value\":{\"channel\":" channel ",\"end\":" end ",\"labels\":[\"" who    \
    "\"],\"start\":" start "}}"
#define TEXT(control, id, text)                                                                    \
    "{\"from_name\":\"" control "\",\"id\":\"" id "\",\"original_length\":9.5,"                    \
    "\"to_name\":\"audio\",\"type\":\"textarea\",\"value\":{\"text\":[" text "]}}"

static const char data[] = "{\"audio\":\"https://x/a.mp3\"}";

static void check(
    const char *format, const char *xml, const char *result, const char *want, const char *lost)
{
    struct export_item item = item_of(data, result);
    struct buf out, report;

    buf_init(&out, 1 << 16);
    buf_init(&report, 1 << 16);
    CHECK_INT(export_run(format, CONTAINER_FILE, xml, &item, &out, &report), ERR_OK);
    CHECK_STR(buf_view(&out), str_of(want));
    check_lost(buf_view(&report), lost);
    buf_release(&out);
    buf_release(&report);
}

/* In the order of time, not of the document. */
static const char talk[] = "[" TURN("b", "2.5", "4", "1", "Bo") "," TEXT(
    "said", "b", "\"two \\\"x\\\"\",\"lines\"") "," TURN("a", "0.1", "0.4", "0",
    "Ann Lee") "," TEXT("said", "a", "\"hello\"") "," TURN("c", "4", "5.0005", "0",
    "Bo") "," TURN("d", "7", "7", "0", "Bo") "," TEXT("note", "n", "\"loud\"") "]";

TEST(a_manifest_line_for_each_stretch)
{
    check("asr", TALKS, talk,
        "{\"audio_filepath\":\"https://x/"
        "a.mp3\",\"offset\":0.1,\"duration\":0.3,\"text\":\"hello\","
        "\"speaker\":\"Ann Lee\",\"channel\":0,\"task\":7,\"split\":\"train\"}\n"
        "{\"audio_filepath\":\"https://x/a.mp3\",\"offset\":2.5,\"duration\":1.5,"
        "\"text\":\"two \\\"x\\\" lines\",\"speaker\":\"Bo\",\"channel\":1,\"task\":7,"
        "\"split\":\"train\"}\n",
        "{\"answers.textarea\":1,\"regions.empty\":1,\"regions.labels\":1}");
}

TEST(a_manifest_line_for_a_whole_recording)
{
    check("asr", DICTATION, "[" TEXT("said", "t", "\"all of it\"") "]",
        "{\"audio_filepath\":\"https://x/a.mp3\",\"duration\":null,\"text\":\"all of "
        "it\",\"task\":7,"
        "\"split\":\"train\"}\n",
        "{\"recordings.duration\":1}");
    check("asr", DICTATION, "[]", "", "{\"recordings.empty\":1}");
}

TEST(turns_of_speakers)
{
    check("rttm", TALKS, talk,
        "SPEAKER 0000000007 1 0.100 0.300 <NA> <NA> Ann_Lee <NA> <NA>\n"
        "SPEAKER 0000000007 2 2.500 1.500 <NA> <NA> Bo <NA> <NA>\n"
        "SPEAKER 0000000007 1 4.000 1.001 <NA> <NA> Bo <NA> <NA>\n",
        "{\"answers.textarea\":3,\"names\":1,\"regions.empty\":1,\"rounded\":1,\"splits\":1}");
    check("rttm", TALKS, "[" TURN("a", "1", "1.0001", "0", "Bo") "]", "",
        "{\"regions.empty\":1,\"splits\":1}");
    check("rttm", TALKS, "[]", "", "{\"recordings.empty\":1,\"splits\":1}");
}

TEST(what_is_no_recording_is_refused)
{
    struct export_item item = item_of("{}", "[]");
    struct buf out;

    buf_init(&out, 1 << 16);
    CHECK_INT(export_run("rttm", CONTAINER_FILE, READING, &item, &out, NULL), ERR_INVALID);
    CHECK_INT(export_run("asr", CONTAINER_FILE, READING, &item, &out, NULL), ERR_INVALID);
    CHECK_INT(export_run("asr", CONTAINER_FILE, DIARY, &item, &out, NULL), ERR_INVALID);
    CHECK_INT((long long)out.n, 0);
    buf_release(&out);
}

TEST(no_speech_is_gathered)
{
    check_gathers_not("asr", TALKS, item_of(data, talk));
    check_gathers_not("rttm", TALKS, item_of(data, talk));
}
