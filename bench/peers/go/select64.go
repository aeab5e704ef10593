package main

// select64: one goroutine selects over 64 unbuffered channels; a producer feeds n/64 values into each. Spelt out: reflect.Select
// is many times slower.
func select64(n int) error {
	var ch [64]chan int
	var sums [64]int
	for c := range ch {
		ch[c] = make(chan int)
		go func() {
			for i := range n / len(ch) {
				ch[c] <- i
			}
		}()
	}
	for range n {
		select {
		case v := <-ch[0]:
			sums[0] += v
		case v := <-ch[1]:
			sums[1] += v
		case v := <-ch[2]:
			sums[2] += v
		case v := <-ch[3]:
			sums[3] += v
		case v := <-ch[4]:
			sums[4] += v
		case v := <-ch[5]:
			sums[5] += v
		case v := <-ch[6]:
			sums[6] += v
		case v := <-ch[7]:
			sums[7] += v
		case v := <-ch[8]:
			sums[8] += v
		case v := <-ch[9]:
			sums[9] += v
		case v := <-ch[10]:
			sums[10] += v
		case v := <-ch[11]:
			sums[11] += v
		case v := <-ch[12]:
			sums[12] += v
		case v := <-ch[13]:
			sums[13] += v
		case v := <-ch[14]:
			sums[14] += v
		case v := <-ch[15]:
			sums[15] += v
		case v := <-ch[16]:
			sums[16] += v
		case v := <-ch[17]:
			sums[17] += v
		case v := <-ch[18]:
			sums[18] += v
		case v := <-ch[19]:
			sums[19] += v
		case v := <-ch[20]:
			sums[20] += v
		case v := <-ch[21]:
			sums[21] += v
		case v := <-ch[22]:
			sums[22] += v
		case v := <-ch[23]:
			sums[23] += v
		case v := <-ch[24]:
			sums[24] += v
		case v := <-ch[25]:
			sums[25] += v
		case v := <-ch[26]:
			sums[26] += v
		case v := <-ch[27]:
			sums[27] += v
		case v := <-ch[28]:
			sums[28] += v
		case v := <-ch[29]:
			sums[29] += v
		case v := <-ch[30]:
			sums[30] += v
		case v := <-ch[31]:
			sums[31] += v
		case v := <-ch[32]:
			sums[32] += v
		case v := <-ch[33]:
			sums[33] += v
		case v := <-ch[34]:
			sums[34] += v
		case v := <-ch[35]:
			sums[35] += v
		case v := <-ch[36]:
			sums[36] += v
		case v := <-ch[37]:
			sums[37] += v
		case v := <-ch[38]:
			sums[38] += v
		case v := <-ch[39]:
			sums[39] += v
		case v := <-ch[40]:
			sums[40] += v
		case v := <-ch[41]:
			sums[41] += v
		case v := <-ch[42]:
			sums[42] += v
		case v := <-ch[43]:
			sums[43] += v
		case v := <-ch[44]:
			sums[44] += v
		case v := <-ch[45]:
			sums[45] += v
		case v := <-ch[46]:
			sums[46] += v
		case v := <-ch[47]:
			sums[47] += v
		case v := <-ch[48]:
			sums[48] += v
		case v := <-ch[49]:
			sums[49] += v
		case v := <-ch[50]:
			sums[50] += v
		case v := <-ch[51]:
			sums[51] += v
		case v := <-ch[52]:
			sums[52] += v
		case v := <-ch[53]:
			sums[53] += v
		case v := <-ch[54]:
			sums[54] += v
		case v := <-ch[55]:
			sums[55] += v
		case v := <-ch[56]:
			sums[56] += v
		case v := <-ch[57]:
			sums[57] += v
		case v := <-ch[58]:
			sums[58] += v
		case v := <-ch[59]:
			sums[59] += v
		case v := <-ch[60]:
			sums[60] += v
		case v := <-ch[61]:
			sums[61] += v
		case v := <-ch[62]:
			sums[62] += v
		case v := <-ch[63]:
			sums[63] += v
		}
	}
	for _, sum := range sums {
		if err := expect("the sum of one channel's values", sum, sumBelow(n/len(ch))); err != nil {
			return err
		}
	}
	return nil
}
