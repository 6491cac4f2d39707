# The picture of a run: from scan.dat and oltp.dat, as bench.pl has written them, to results.svg.
set terminal svg size 1100,640 noenhanced dynamic font 'sans-serif,13' background '#ffffff'
set output 'results.svg'
set multiplot layout 1,2 title title_text font ',12'

set title 'Sum over all rows, by the share that the person sees'
set xlabel '% of the rows visible'
set ylabel 'milliseconds'
set logscale xy
set grid ytics lc '#dddddd'
set key below left maxcols 1 samplen 2
set xtics (0.1, 1, 10, 25, 50, 100)
stats 'scan.dat' using 2 nooutput
lines = STATS_blocks  # and an empty one at the end
plot for [i = 0 : lines - 2] 'scan.dat' index i using 1:2 with linespoints lw (i == 1 ? 3 : 1.5) pt 7 ps 0.6 lc i + 1 title columnheader(1)

unset logscale
set title 'Throughput, relative to no row security'
unset xlabel
set ylabel 'ratio (quartiles); the mark is what is required'
set yrange [0 : 1.2]
set xtics rotate by -40 autofreq
set style fill solid 0.6
set boxwidth 0.6
set bmargin 11
unset key
plot 'oltp.dat' using 0:2:xtic(1) with boxes lc '#4477aa', \
     '' using 0:2:3:4 with yerrorbars lc '#222222' pt 0, \
     '' using 0:5 with points pt 9 ps 1 lc '#cc3311'
unset multiplot
