# The picture that a reader sees first, from slower.dat as bench.pl has written it: how many times
# slower than no row security a query is, by its condition and by how much the person sees. A block
# for each panel, with the same rows: label, ours, the best documented pattern.
set terminal svg size 1200,600 noenhanced dynamic font 'sans-serif,13' background '#ffffff'
set output 'slower.svg'
stats 'slower.dat' using 0 nooutput
# And an empty one at the end.
panels = STATS_blocks - 1
rows = STATS_records / panels
array words[3] = ['everything visible', '25 % visible', '1 % visible']
set multiplot layout 1, panels title title_text font ',12' margins 0.17, 0.98, 0.16, 0.86 \
  spacing 0.015
set logscale x
set xrange [0.3 : 20000]
set yrange [-rows : 1]
set xtics ('1 ×' 1, '10' 10, '100' 100, '1,000' 1000, '10,000' 10000)
set grid xtics ytics lc '#dddddd'
set xlabel 'times slower than no row security'
set arrow 1 from first 1, graph 0 to first 1, graph 1 nohead lc '#555555' lw 1.5
do for [i = 0 : panels - 1] {
  set title words[i + 1]
  if (i == 0) {
    set key at screen 0.5, 0.035 center horizontal maxrows 1 samplen 1
    plot 'slower.dat' index i using 2:(-column(0)):ytic(1) with points pt 7 ps 1.1 lc '#4477aa' \
           title 'seeme_rbac', \
         '' index i using 3:(-column(0)) with points pt 6 ps 1.1 lw 2 lc '#cc3311' \
           title 'best documented pattern'
  } else {
    unset key
    set ytics -rows, 1 format ''
    plot 'slower.dat' index i using 2:(-column(0)) with points pt 7 ps 1.1 lc '#4477aa', \
         '' index i using 3:(-column(0)) with points pt 6 ps 1.1 lw 2 lc '#cc3311'
  }
}
unset multiplot
