console.log('quern');
