/*
 * id.c: what names from outside may look like, and new ones. Pure but for the random ones
 * (arc4random: never fails).
 */
#include <ctype.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/id.h"

/* Whatever the locale. */
static bool
is_letter_or_digit(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool
id_is_valid(const char *id)
{
	size_t len;

	if (id == NULL || !is_letter_or_digit(id[0]))
		return false;
	for (len = 1;
	     is_letter_or_digit(id[len]) || (id[len] != '\0' && strchr("._:-", id[len]) != NULL);
	     len++)
		;
	return id[len] == '\0' && len <= ID_MAX;
}

size_t
utf8_length(const char *text, size_t left)
{
	const unsigned char *s = (const unsigned char *)text;
	unsigned low = 0x80, high = 0xbf;
	size_t need;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		need = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		need = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		need = 4;
	else
		return 0;
	if (s[0] == 0xe0)
		low = 0xa0;
	if (s[0] == 0xed)
		high = 0x9f;
	if (s[0] == 0xf0)
		low = 0x90;
	if (s[0] == 0xf4)
		high = 0x8f;
	if (left < need || s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < need; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	return need;
}

/* Eight bytes. */
static bool
is_ascii(const char *text)
{
	uint64_t word;

	memcpy(&word, text, sizeof(word));
	return (word & 0x8080808080808080ULL) == 0;
}

bool
utf8_is_valid(const char *text, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		/* Most of it is ASCII: eight bytes at a time. */
		if (len - i >= sizeof(uint64_t) && is_ascii(text + i)) {
			n = sizeof(uint64_t);
			continue;
		}
		n = utf8_length(text + i, len - i);
		if (n == 0)
			return false;
	}
	return true;
}

/*
 * UTF-8 of 1 to max bytes, without control characters (C0, DEL, C1) and without those of
 * not_these.
 */
static bool
text_is_valid(const char *text, size_t max, const char *not_these)
{
	size_t len;

	if (text == NULL)
		return false;
	len = strnlen(text, max + 1);
	if (len == 0 || len > max || !utf8_is_valid(text, len))
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c == 0x7f || strchr(not_these, c) != NULL)
			return false;
		if (c == 0xc2 && (unsigned char)text[i + 1] < 0xa0)
			return false;
	}
	return true;
}

bool
label_is_valid(const char *label)
{
	return text_is_valid(label, LABEL_MAX, "=,");
}

bool
key_is_valid(const char *key)
{
	return text_is_valid(key, KEY_MAX, "");
}

void
id_new(char out[ID_MAX + 1])
{
	/* 32, none that look alike */
	static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
	unsigned char random[16];

	arc4random_buf(random, sizeof(random));
	memcpy(out, "g-", 2);
	for (size_t i = 0; i < sizeof(random); i++)
		out[2 + i] = digits[random[i] % 32];
	out[2 + sizeof(random)] = '\0';
}

void
id_from_key(
    uint32_t uid, const char *guild, const char *key, char out[ID_MAX + 1], uint64_t hash[2])
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	SHA2_CTX ctx;

	/* Each part ends in a NUL, so that no two triples give the same bytes. */
	SHA256Init(&ctx);
	SHA256Update(&ctx, (const uint8_t *)&uid, sizeof(uid));
	SHA256Update(&ctx, (const uint8_t *)guild, strlen(guild) + 1);
	SHA256Update(&ctx, (const uint8_t *)key, strlen(key) + 1);
	SHA256Final(digest, &ctx);
	memcpy(out, "k-", 3);
	for (size_t i = 0; i < 16; i++)
		snprintf(out + 2 + 2 * i, 3, "%02x", digest[i]);
	memcpy(hash, digest, 2 * sizeof(hash[0]));
}

void
instance_new(char out[INSTANCE_SIZE])
{
	unsigned char b[16];

	/* RFC 9562, version 4, variant 10. */
	arc4random_buf(b, sizeof(b));
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	snprintf(out, INSTANCE_SIZE,
	    "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
	    b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
	    b[15]);
}

bool
instance_is_valid(const char *text)
{
	for (size_t i = 0; i < INSTANCE_SIZE - 1; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return false;
	}
	return text[INSTANCE_SIZE - 1] == '\0';
}
