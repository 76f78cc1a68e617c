/* Variables in scalars.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "variables.h"

#include <string.h>

#include "compose.h"

#define MAX_TEXT (1 << 20)

typedef struct
{
  const WeftValue *names;
  const char *what;         /* "variable" */
  gboolean environment;
  WeftProblems *problems;
  GPtrArray *resolving;     /* names under way, to find cycles; NULL: values of names are final */
  WeftValue *resolved;
} Replacement;

static WeftValue *replace (Replacement *self, WeftValue *value);

static gboolean
is_name (char c)
{
  return g_ascii_isalnum (c) || c == '_';
}

static void
unknown (Replacement *self, const char *name, WeftMark mark)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *hint = NULL;

  for (guint i = 0; self->names && i < weft_value_length (self->names); i++)
    g_ptr_array_add (names, (gpointer) weft_value_key (self->names, i));
  g_ptr_array_add (names, NULL);
  hint = weft_suggestion (name, (const char *const *) names->pdata);
  weft_problems_add (self->problems, mark, "unknown %s \"$%s\"%s", self->what, name, hint);
}

/* (transfer full) (nullable): the final value of a name. */
static WeftValue *
value_of (Replacement *self, const char *name, WeftMark mark)
{
  WeftValue *value = self->names ? weft_value_lookup (self->names, name) : NULL;
  WeftValue *done;

  if (!value)
    {
      unknown (self, name, mark);
      return NULL;
    }
  if (!self->resolving)
    return weft_value_ref (value);
  done = weft_value_lookup (self->resolved, name);
  if (done)
    return weft_value_ref (done);
  for (guint i = 0; i < self->resolving->len; i++)
    if (strcmp (self->resolving->pdata[i], name) == 0)
      {
        weft_problems_add (self->problems, mark, "variable \"%s\" is defined by itself", name);
        return NULL;
      }
  g_ptr_array_add (self->resolving, (gpointer) name);
  value = replace (self, value);
  g_ptr_array_set_size (self->resolving, (int) self->resolving->len - 1);
  weft_value_set (self->resolved, name, mark, weft_value_ref (value));
  return value;
}

/* `env:NAME` or `env:NAME:-default`; (nullable) */
static char *
environment (Replacement *self, const char *inside, WeftMark mark)
{
  const char *fallback = strstr (inside, ":-");
  g_autofree char *name = fallback ? g_strndup (inside, fallback - inside) : g_strdup (inside);
  const char *value = g_getenv (name);

  if (value && (*value || !fallback))
    return g_strdup (value);
  if (fallback)
    return g_strdup (fallback + 2);
  weft_problems_add (self->problems, mark, "the environment has no %s; set it, or write ${env:%s:-default}", name, name);
  return NULL;
}

static gboolean
append_name (Replacement *self, GString *out, const char *name, WeftMark mark)
{
  g_autoptr (WeftValue) value = value_of (self, name, mark);

  if (!value)
    return FALSE;
  if (weft_value_kind (value) != WEFT_VALUE_SCALAR)
    {
      weft_problems_add (self->problems, mark, "%s \"%s\" is no plain value and cannot be part of a text", self->what, name);
      return FALSE;
    }
  g_string_append (out, weft_value_text (value));
  return TRUE;
}

static WeftValue *
replace_scalar (Replacement *self, WeftValue *scalar)
{
  const char *text = weft_value_text (scalar);
  WeftMark mark = weft_value_mark (scalar);
  g_autoptr (GString) out = NULL;
  gsize length = strlen (text);

  if (!strchr (text, '$'))
    return weft_value_ref (scalar);
  if (text[0] == '$' && length > 1 && strspn (text + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == length - 1)
    {
      WeftValue *whole = value_of (self, text + 1, mark);
      return whole ? whole : weft_value_ref (scalar);
    }
  out = g_string_new (NULL);
  for (const char *at = text; *at && out->len < MAX_TEXT;)
    {
      const char *end;
      g_autofree char *name = NULL;
      if (*at != '$' || (at[1] != '{' && !is_name (at[1])))
        {
          g_string_append_c (out, *at++);
          continue;
        }
      if (at[1] == '{')
        {
          end = strchr (at, '}');
          if (!end)
            {
              weft_problems_add (self->problems, mark, "\"${\" without \"}\" in \"%s\"", text);
              return weft_value_ref (scalar);
            }
          name = g_strndup (at + 2, end - at - 2);
          at = end + 1;
        }
      else
        {
          for (end = at + 1; is_name (*end);)
            end++;
          name = g_strndup (at + 1, end - at - 1);
          at = end;
        }
      if (g_str_has_prefix (name, "env:") && self->environment)
        {
          g_autofree char *value = environment (self, name + 4, mark);
          if (!value)
            return weft_value_ref (scalar);
          g_string_append (out, value);
        }
      else if (!append_name (self, out, name, mark))
        return weft_value_ref (scalar);
    }
  return weft_value_new_scalar (out->str, weft_value_is_quoted (scalar), mark);
}

static WeftValue *
replace (Replacement *self, WeftValue *value)
{
  WeftValueKind kind = weft_value_kind (value);
  WeftValue *copy;

  if (kind == WEFT_VALUE_SCALAR)
    return replace_scalar (self, value);
  if (kind == WEFT_VALUE_NULL)
    return weft_value_ref (value);
  copy = kind == WEFT_VALUE_MAP ? weft_value_new_map (weft_value_mark (value)) : weft_value_new_list (weft_value_mark (value));
  for (guint i = 0; i < weft_value_length (value); i++)
    {
      WeftValue *item = replace (self, weft_value_item (value, i));
      if (kind == WEFT_VALUE_MAP)
        weft_value_set (copy, weft_value_key (value, i), weft_value_key_mark (value, i), item);
      else
        weft_value_append (copy, item);
    }
  return copy;
}

WeftValue *
weft_variables_resolve (const WeftValue *vars, WeftProblems *problems)
{
  Replacement self = { vars, "variable", TRUE, problems, g_ptr_array_new (), weft_value_new_map (weft_value_mark (vars)) };
  WeftValue *ordered = weft_value_new_map (weft_value_mark (vars));

  for (guint i = 0; i < weft_value_length (vars); i++)
    {
      WeftValue *value = value_of (&self, weft_value_key (vars, i), weft_value_key_mark (vars, i));
      if (value)
        weft_value_set (ordered, weft_value_key (vars, i), weft_value_key_mark (vars, i), value);
    }
  g_ptr_array_unref (self.resolving);
  weft_value_unref (self.resolved);
  return ordered;
}

WeftValue *
weft_variables_replace (WeftValue *value, const WeftValue *vars, WeftProblems *problems)
{
  Replacement self = { vars, "variable", TRUE, problems, NULL, NULL };

  return replace (&self, value);
}

WeftValue *
weft_substitute (WeftValue *value, const WeftValue *names, const char *what, WeftProblems *problems)
{
  Replacement self = { names, what, FALSE, problems, NULL, NULL };

  return replace (&self, value);
}
