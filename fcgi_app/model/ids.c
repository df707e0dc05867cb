/* ids.c - see ids.h. Must not know where a number was read. */
#include "model/ids.h"

int32_t
ids_conversation(int64_t number)
{
    return number >= 1 && number <= INT32_MAX ? (int32_t)number : CONVERSATION_NONE;
}

int64_t
ids_seq(int64_t number)
{
    if (number < 0)
        return 0;
    return number > SEQ_MAX ? SEQ_MAX : number;
}

bool
ids_read_message(struct str text, int64_t *id)
{
    int64_t number;

    if (!str_to_int(text, &number) || number == 0)
        return false;
    *id = number;
    return true;
}

bool
ids_read_conversation(struct str text, int32_t *id)
{
    int64_t number;

    if (!ids_read_message(text, &number))
        return false;
    *id = ids_conversation(number);
    return true;
}
