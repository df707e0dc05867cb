#!/bin/bash
# Checks that a program is built as an attacker would not like it: position-independent, relocations
# and the stack not writable where they need not be, guards on the stack, checked string functions.
#
#   hardened.sh build/imd
set -eu
export LC_ALL=C
failed=0

# fails with the sentence unless the text has the pattern
has() { grep -Eq -- "$2" <<<"$1" || { echo "$program: $3"; failed=1; }; }
lacks() { ! grep -Eq -- "$2" <<<"$1" || { echo "$program: $3"; failed=1; }; }

for program; do
    headers=$(readelf -hlW "$program")
    dynamic=$(readelf -dW "$program")
    symbols=$(readelf -W --dyn-syms "$program")
    has "$headers" 'Type: +DYN' 'is not position-independent'
    has "$dynamic" 'FLAGS_1.*PIE' 'is not position-independent'
    has "$headers" 'GNU_RELRO' 'has writable relocations'
    has "$dynamic" 'BIND_NOW|FLAGS_1.*NOW' 'binds lazily'
    has "$headers" 'GNU_STACK.* RW +0x' 'has an executable stack'
    lacks "$headers" 'LOAD.* RWE ' 'has memory that is writable and executable'
    has "$symbols" '__stack_chk_fail' 'has no guards on the stack'
    has "$symbols" '_chk@' 'does not check string functions (_FORTIFY_SOURCE)'
    lacks "$dynamic" 'RPATH|RUNPATH' 'looks for libraries where others may put them'
done
exit "$failed"
