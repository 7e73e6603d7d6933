# SPDX-License-Identifier: GPL-2.0-or-later
#
# Work for perl and the C library under it: strings, sorts, regular expressions,
# digests, numbers. What it prints depends on nothing but the processor's
# arithmetic: tests/boot/run compares a guest's with the host's.
use strict;
use POSIX ();

my $seed = 12345;
sub next_number { $seed = ($seed * 1103515245 + 12345) % 2147483648; return $seed }

# -- digests ------------------------------------------------------------------
my @crc_table = map {
	my $c = $_;
	$c = $c & 1 ? 0xedb88320 ^ ($c >> 1) : $c >> 1 for 1 .. 8;
	$c;
} 0 .. 255;

sub crc32
{
	my $c = 0xffffffff;
	$c = $crc_table[($c ^ $_) & 255] ^ ($c >> 8) for unpack 'C*', $_[0];
	return sprintf '%08x', $c ^ 0xffffffff;
}

# SHA-256 by words of 32 bits.
my @prime = grep { my $n = $_; !grep { $n % $_ == 0 } 2 .. $n - 1 } 2 .. 311;
sub fraction { my $f = $_[0] - int $_[0]; return int $f * 4294967296 }
my @k = map { fraction($_**(1 / 3)) } @prime;
sub rot { return ($_[0] >> $_[1] | $_[0] << 32 - $_[1]) & 0xffffffff }

sub sum { my $s = 0; $s += $_ for @_; return $s % 4294967296 }

sub sha256
{
	my ($text) = @_;
	my @h = map { fraction(sqrt $_) } @prime[0 .. 7];
	my $bits = 8 * length $text;
	$text .= "\x80" . "\0" x ((55 - length $text) % 64) . pack 'NN', 0, $bits;
	for my $block (unpack '(a64)*', $text) {
		my @w = unpack 'N16', $block;
		for my $i (16 .. 63) {
			my ($a, $b) = @w[$i - 15, $i - 2];
			push @w, sum($w[$i - 16], rot($a, 7) ^ rot($a, 18) ^ $a >> 3,
				$w[$i - 7], rot($b, 17) ^ rot($b, 19) ^ $b >> 10);
		}
		my ($a, $b, $c, $d, $e, $f, $g, $h) = @h;
		for my $i (0 .. 63) {
			my $x = sum($h, rot($e, 6) ^ rot($e, 11) ^ rot($e, 25),
				$e & $f ^ (~$e & 0xffffffff) & $g, $k[$i], $w[$i]);
			my $y = sum(rot($a, 2) ^ rot($a, 13) ^ rot($a, 22),
				$a & $b ^ $a & $c ^ $b & $c);
			($h, $g, $f, $e, $d, $c, $b, $a) =
				($g, $f, $e, sum($d, $x), $c, $b, $a, sum($x, $y));
		}
		my @new = ($a, $b, $c, $d, $e, $f, $g, $h);
		$h[$_] = sum($h[$_], $new[$_]) for 0 .. 7;
	}
	return join '', map { sprintf '%08x', $_ } @h;
}

# -- the work -----------------------------------------------------------------
my @word = map {
	join '', map { chr 97 + next_number() / 65536 % 26 } 0 .. next_number() / 65536 % 40
} 1 .. 3000;
my $text = join ' ', @word;

print "sha256 abc: ", sha256('abc'), "\n";
print "sha256 text: ", sha256(substr $text, 0, 4000), "\n";
print "crc32 text: ", crc32($text), " of ", length $text, "\n";

# strings of every length at every distance: memcpy, memmove, memcmp, memchr
my $sum = 0;
for my $len (0 .. 300) {
	my $at = $len * 7 % 64;
	my $piece = substr $text, $at, $len;
	my $other = $piece;
	substr($other, $len / 2, 1) = 'Z' if $len;
	$sum += ($piece cmp $other) + 2 * ($piece eq substr $text, $at, $len);
	$sum += index($text, $piece, $at > 20 ? $at - 20 : 0) + rindex $text, $piece;
	my $moved = "ab$piece";
	substr($moved, 0, 1) = '';
	substr($moved, $len / 3, 0) = '-' x ($len % 5);
	$sum += unpack '%32C*', $moved;
}
print "pieces: $sum\n";
my $long = $text x 40;
print "long: ", length $long, ' ', index($long, "\0"), ' ', ($long =~ tr/e//), ' ',
	crc32(join '', reverse split //, substr $long, 70000, 5000), "\n";

print "sorted: ", crc32(join ',', sort @word), ' ',
	crc32(join ',', sort { length $a <=> length $b || $b cmp $a } @word), "\n";
my @number = map { next_number() / 1024 - 1e6 } 1 .. 5000;
print "numbers: ", crc32(join ',', map { sprintf '%.10g', $_ } sort { $a <=> $b } @number), "\n";

my %count;
$count{$_}++ for $text =~ /([aeiou][^aeiou ]+)/g;
my @most = sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count;
print "most: @most[0 .. 5] $count{$most[0]} of ", scalar @most, "\n";
(my $changed = $text) =~ s/(\w)(\w+?)([aeiou])\b/$3\U$2\E$1/g;
print "changed: ", crc32($changed), ' ', scalar(() = $changed =~ /(?<=[A-Z]{3})\w+(?!\w)/g), "\n";
print "backtrack: ", ($text =~ /(\w)(\w)\w*? \w*\2\1\b.*?(\w)\3\3/ ? "$& at $-[0]" =~ s/.*at/at/r : 'no'), "\n";

my $x = 0;
$x += sin($_) * exp(-$_ / 100) + atan2($_, 3) + log($_ + 1) + sqrt $_ for 1 .. 2000;
printf "floating: %.12g %.6e %s %s\n", $x, $x / 7, 1 / 3, 1e15 / 7;
printf "rounded: %d %.3f %g %s\n", -7.9, 2.0005, 1e-5, POSIX::floor(-1.5) . POSIX::fmod(7.25, 2);
printf "parsed: %s %s %s\n", '0.1' + '0.2', '1e308' * 10, '4294967295' + 1;
{
	use integer;
	print "integer: ", 2147483647 + 1, ' ', -7 / 2, ' ', -7 % 3, ' ', 123456789 * 987654321, "\n";
}
print "packed: ", unpack('H*', pack 'nNvVCdfa5', 258, 66051, 772, 134480385, 9, 1.5, -2.25, 'smew'),
	' ', join(',', unpack 'sSlLd', pack 'sSlLd', -2, 65534, -3, 4294967293, 1e300), "\n";
print "done\n";
