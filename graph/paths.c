/* Patterns over dotted paths: `text.bert`, `image.*.weight`, `**.bias`.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <weft/operator.h>

/* Wildcards within an element (`layer*`) stand for any characters but the dot. */
static gboolean
match_element (const char *pattern, const char *pattern_end, const char *text, const char *text_end)
{
  const char *star = NULL, *retry = NULL;
  while (text < text_end)
    {
      if (pattern < pattern_end && *pattern == '*')
        {
          star = ++pattern;
          retry = text;
        }
      else if (pattern < pattern_end && *pattern == *text)
        {
          pattern++;
          text++;
        }
      else if (star)
        {
          pattern = star;
          text = ++retry;
        }
      else
        return FALSE;
    }
  while (pattern < pattern_end && *pattern == '*')
    pattern++;
  return pattern == pattern_end;
}

/* Elements are matched one by one; as in match_element(), only the last `**` ever needs to be tried again. */
gboolean
weft_path_match (const char *pattern, const char *path)
{
  const char *star = NULL, *retry = NULL;
  while (TRUE)
    {
      /* A prefix that ends at a dot is enough, so a pattern that is used up has matched. */
      if (!pattern)
        return TRUE;
      const char *pattern_dot = strchr (pattern, '.'), *pattern_end = pattern_dot ? pattern_dot : pattern + strlen (pattern);
      if (pattern_end - pattern == 2 && pattern[0] == '*' && pattern[1] == '*')
        {
          pattern = pattern_dot ? pattern_dot + 1 : NULL;
          star = pattern;
          retry = path;
          continue;
        }
      if (!path)
        return FALSE;
      const char *path_dot = strchr (path, '.'), *path_end = path_dot ? path_dot : path + strlen (path);
      if (match_element (pattern, pattern_end, path, path_end))
        {
          pattern = pattern_dot ? pattern_dot + 1 : NULL;
          path = path_dot ? path_dot + 1 : NULL;
        }
      else if (star)
        {
          const char *next = retry ? strchr (retry, '.') : NULL;
          retry = next ? next + 1 : NULL;
          pattern = star;
          path = retry;
        }
      else
        return FALSE;
    }
}
